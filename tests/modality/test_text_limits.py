"""How many tokens a classifier can read."""

from __future__ import annotations

import pytest

from tests.modality.text_models import logits, make, modality, texts


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("bert", 34),
        ("roberta", 32),
        ("longformer", 32),
        ("bart", 34),
        ("gpt2", 34),
        ("t5", None),
        ("xlnet", None),
        ("torch", None),
    ],
)
def test_positions_say_how_long_a_text_may_be(name: str, most: int | None) -> None:
    net = make(name)
    assert modality().most_tokens(net) == most
    if most is not None:
        logits(net, texts(1, 1, length=most))
        with pytest.raises(Exception):  # noqa: B017  another from every network
            logits(net, texts(1, 1, length=most + 1))
