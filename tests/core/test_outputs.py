"""Which part of what a classifier returns its logits are."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import SequenceClassifierOutput

from input_iba.core.outputs import class_names_of, everything, is_detections, part_of, select_logits
from input_iba.errors import AttributionError

LOGITS, EMBEDDING, TOKENS = torch.randn(2, 4), torch.randn(2, 8), torch.randn(2, 5, 8)
Named = namedtuple("Named", ["embedding", "logits"])


@pytest.mark.parametrize(
    "returned",
    [
        LOGITS,
        (TOKENS, LOGITS),
        [LOGITS, (TOKENS, EMBEDDING)],
        {"embedding": EMBEDDING, "logits": LOGITS},
        {"tokens": TOKENS, "scores": LOGITS},
        Named(EMBEDDING, LOGITS),
        SequenceClassifierOutput(logits=LOGITS, hidden_states=(TOKENS,)),
        SimpleNamespace(embedding=EMBEDDING, logits=LOGITS),
    ],
    ids=["tensor", "only 2-D", "nested", "key", "only 2-D key", "named", "output", "attribute"],
)
def test_logits_are_found_where_one_tensor_can_be_meant(returned: Any) -> None:
    assert select_logits(returned, 2) is LOGITS


def test_two_that_could_be_meant_must_be_told_apart() -> None:
    both = (EMBEDDING, LOGITS)
    with pytest.raises(AttributionError, match=r"0 \(2, 8\), 1 \(2, 4\).*output=1"):
        select_logits(both, 2)
    for output in (1, -1, lambda returned: returned[1]):
        assert select_logits(both, 2, output) is LOGITS
    assert select_logits({"a": EMBEDDING, "b": LOGITS}, 2, "b") is LOGITS
    with pytest.raises(AttributionError, match="no part 'c'"):
        select_logits({"a": EMBEDDING, "b": LOGITS}, 2, "c")


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (torch.zeros(2), r"shape \(2,\) for 2 inputs.*z\[:, None\]"),
        (torch.zeros(3, 4), r"\(3, 4\) for 2 inputs"),
        ((TOKENS,), "no logits"),
        ("logits", "no logits"),
    ],
)
def test_what_holds_no_logits_is_refused(returned: Any, message: str) -> None:
    with pytest.raises(AttributionError, match=message):
        select_logits(returned, 2)


class Labelled(nn.Module):
    def __init__(self, labels: Any) -> None:
        super().__init__()
        self.config = SimpleNamespace(id2label=labels)

    def forward(self, x: Tensor) -> Tensor:
        return x


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({0: "POSITIVE", 1: "NEGATIVE"}, ("POSITIVE", "NEGATIVE")),
        ({"1": "b", "0": "a"}, ("a", "b")),
        ({0: "LABEL_0", 1: "LABEL_1"}, ()),
        ({0: "a", 2: "c"}, ()),
        (None, ()),
    ],
)
def test_class_names_are_those_that_a_model_gives(labels: Any, names: tuple[str, ...]) -> None:
    assert class_names_of(Labelled(labels)) == names


def test_a_part_is_named_by_its_key_its_place_or_a_function() -> None:
    first, last = torch.zeros(2, 3), torch.ones(2, 3)
    for place, part in ((0, first), (1, last), (-1, last), (-2, first)):
        assert part_of((first, last), place) is part
    assert part_of({"a": first, "b": last}, "b") is last
    assert part_of(SimpleNamespace(logits=last), "logits") is last
    assert part_of((first, last), lambda returned: returned[1]) is last
    for output in (2, -3, "c"):
        with pytest.raises(AttributionError, match="no part"):
            part_of((first, last), output)


def test_detections_are_a_dict_per_image() -> None:
    assert is_detections([{"boxes": 0}, {"boxes": 1}])
    assert not is_detections([{"boxes": 0}, torch.zeros(1)])
    assert not is_detections({"boxes": 0})


def test_all_numbers_of_each_input_stand_in_a_row() -> None:
    inputs, states = torch.zeros(2, 3, 4), torch.arange(12.0).view(2, 3, 2)
    ids = torch.ones(2, 3, dtype=torch.long)  # no number that could differ by rounding
    returned = {"states": states, "ids": ids, "loss": torch.tensor(1.0), "other": torch.ones(5, 2)}
    assert everything(returned, inputs).tolist() == states.flatten(1).tolist()
    short = SimpleNamespace(lengths=torch.tensor([1, 2]))
    assert everything(returned, inputs, short).tolist() == states[:, :2].flatten(1).tolist()
    found = everything([{"boxes": states[0]}, {"boxes": states[1, :1]}], inputs)
    assert found.tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 0, 0, 0, 0]]
    assert everything("nothing", inputs).shape == (2, 0)
