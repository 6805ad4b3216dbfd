"""Names of classes and of logits: which mean the same."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from torch import nn

from input_iba.core.outputs import class_names_of, is_multi_label, matched
from input_iba.datasets.class_index import imagenet_classes


def labelled(id2label: Mapping[object, str], problem: str | None = None) -> nn.Module:
    model = nn.Linear(1, 1)
    model.config = SimpleNamespace(id2label=id2label, problem_type=problem)  # type: ignore[assignment]
    return model


@pytest.mark.parametrize(
    ("id2label", "labels"),
    [
        ({1: "NEGATIVE", 0: "POSITIVE"}, ("POSITIVE", "NEGATIVE")),
        ({str(i): f"{i + 1} stars" for i in range(12)}, tuple(f"{i + 1} stars" for i in range(12))),
        ({0: "LABEL_0", 1: "LABEL_1"}, ()),
        ({0: "0", 1: "1"}, ()),
        ({0: "toxic"}, ()),  # one logit is two classes, of which this names one
    ],
)
def test_labels_are_read_in_the_order_of_the_logits(
    id2label: Mapping[object, str], labels: tuple[str, ...]
) -> None:
    assert class_names_of(labelled(id2label)) == labels


def test_a_network_without_a_configuration_has_no_labels() -> None:
    assert class_names_of(nn.Linear(1, 1)) == ()
    assert not is_multi_label(nn.Linear(1, 1))
    assert not is_multi_label(labelled({}, "single_label_classification"))
    assert is_multi_label(labelled({}, "multi_label_classification"))


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["negative", "neutral", "positive"], {"neg": 0, "pos": 2}),
        (["POS", "NEG"], {"neg": 1, "pos": 0}),
        (["positive", "possible", "negative"], {"neg": 2}),  # 'pos' may mean two of them
        (["bad", "good"], {}),
        ([""] * 2, {}),
    ],
)
def test_beginnings_count_among_few_labels(labels: list[str], found: dict[str, int]) -> None:
    assert matched(["neg", "pos"], labels) == found


def test_two_names_do_not_share_a_label() -> None:
    assert matched(["cat", "cats"], ["cats and dogs", "birds"]) == {}


def test_among_many_labels_a_name_is_the_whole_name() -> None:
    classes = imagenet_classes()
    assert matched(["dog", "cat"], classes.names) == {}
    assert matched(["Persian_cat", "tench"], classes.names) == {"Persian_cat": 283, "tench": 0}
    assert matched(["n02123394", "n01440764"], classes.ids) == {"n02123394": 283, "n01440764": 0}
    assert matched(["tabby"], ["tench, Tinca tinca", "tabby, tabby cat"] * 1) == {"tabby": 1}
