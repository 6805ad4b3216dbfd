"""The question that a model's output suggests, where nobody asks one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from input_iba.core.targets.default import default_target


def of(*shape: int) -> Tensor:
    return torch.zeros(shape)


@pytest.mark.parametrize(
    ("returned", "inputs", "expected"),
    [
        (of(2, 5), (2, 3, 8, 8), "NoneType"),
        ({"logits": of(2, 5), "last_hidden_state": of(2, 3, 4)}, (2, 3, 8, 8), "NoneType"),
        ({"scores": of(2, 5)}, (2, 3, 8, 8), "NoneType"),
        ({"last_hidden_state": of(2, 3, 4)}, (2, 3, 8, 8), "EmbeddingTarget"),
        ({"last_hidden_state": of(2, 3, 4), "mask": of(2)}, (2, 3, 8, 8), "EmbeddingTarget"),
        ({"last_hidden_state": of(2, 3, 4), "scores": of(2, 5)}, (2, 3, 8, 8), "NoneType"),
        (of(2, 5, 4, 4), (2, 3, 8, 8), "SegmentTarget"),
        ({"out": of(2, 5, 4, 4)}, (2, 3, 8, 8), "SegmentTarget"),
        (of(2, 7, 5), (2, 7, 16), "TokenTarget"),
        (of(2, 5), (2, 7, 16), "NoneType"),
        ({"start_logits": of(2, 7), "end_logits": of(2, 7)}, (2, 7, 16), "SpanTarget"),
        ([{"boxes": of(0, 4)}, {"boxes": of(1, 4)}], (2, 3, 8, 8), "BoxTarget"),
        ({"logits": of(2, 9, 5), "pred_boxes": of(2, 9, 4)}, (2, 3, 8, 8), "BoxTarget"),
    ],
)
def test_the_form_of_the_output_says_what_is_asked(
    returned: Any, inputs: tuple[int, ...], expected: str
) -> None:
    assert type(default_target(returned, of(*inputs))).__name__ == expected
