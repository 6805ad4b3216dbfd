"""Targets in all their forms, and what is wrong with those that do not fit."""

import math

import pytest
import torch
from torch.nn import functional as F

from input_iba.core.targets import (
    ClassTarget,
    Facts,
    MultiLabelTarget,
    predictions,
    probabilities,
    target_losses,
    target_of,
)
from input_iba.core.targets.base import find_part
from input_iba.errors import AttributionError, ConfigError
from input_iba.records import Targets

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]])
DRAWS = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))


def test_class_indices_are_cross_entropy() -> None:
    losses = target_losses([2, 0], LOGITS)
    expected = F.cross_entropy(DRAWS[1], torch.tensor([0] * 4), reduction="none")
    torch.testing.assert_close(losses(DRAWS)[1], expected)
    assert losses.labels == (2, 0)
    torch.testing.assert_close(losses.select([1])(DRAWS[1:])[0], expected)


def test_one_hot_rows_are_binary_cross_entropy() -> None:
    rows = torch.tensor([[1, 0, 1], [0, 0, 1]])
    found = target_losses(rows, LOGITS)(DRAWS)
    expected = F.binary_cross_entropy_with_logits(
        DRAWS, rows[:, None].expand_as(DRAWS).float(), reduction="none"
    ).mean(-1)
    torch.testing.assert_close(found, expected)


def test_without_softmax_a_class_is_its_own_question() -> None:
    found = target_losses([1, 1], LOGITS, Facts(use_softmax=False))(DRAWS)
    torch.testing.assert_close(found, -DRAWS[..., 1].sigmoid().log())
    assert probabilities(LOGITS, use_softmax=False)[0, 0].item() == pytest.approx(
        1 / (1 + math.exp(-2))
    )


def test_losses_of_the_callers_own() -> None:
    everywhere = target_losses(lambda logits: logits[:, 0] - logits[:, 1], LOGITS)
    torch.testing.assert_close(everywhere(DRAWS), DRAWS[..., 0] - DRAWS[..., 1])
    each = target_losses([lambda x: x[:, 0], lambda x: x[:, 2]], LOGITS)
    torch.testing.assert_close(each(DRAWS), torch.stack([DRAWS[0, :, 0], DRAWS[1, :, 2]]))
    assert each.labels == (None, None)
    with pytest.raises(AttributionError, match="one loss per row"):
        target_losses(lambda logits: logits.sum(), LOGITS)(DRAWS)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([0], "one target per sample: 2; got .0."),
        ([0, 3], "class 3 does not exist: the classifier has classes 0 to 2"),
        ([0, -1], "class -1"),
        (torch.tensor([0.0, 1.0]), "integer class indices"),
        (torch.zeros(2, 4), "shape .2, 4.; expected a row per sample and a column per class"),
    ],
    ids=["count", "class", "negative", "float", "columns"],
)
def test_targets_that_do_not_fit(targets: Targets, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        target_losses(targets, LOGITS)


def test_a_single_logit_tells_two_classes_apart() -> None:
    logits = torch.tensor([[2.0], [-1.0]])
    draws = torch.randn(2, 4, 1, generator=torch.Generator().manual_seed(0))
    for use_softmax in (True, False):
        chances = probabilities(logits, use_softmax)
        torch.testing.assert_close(chances[:, 1], logits.sigmoid()[:, 0])
        torch.testing.assert_close(chances.sum(1), torch.ones(2))
        found = target_losses([1, 0], logits, Facts(use_softmax=use_softmax))(draws)
        labels = torch.tensor([1.0, 0.0])[:, None].expand(2, 4)
        expected = F.binary_cross_entropy_with_logits(draws[..., 0], labels, reduction="none")
        torch.testing.assert_close(found, expected)
    assert predictions(logits).tolist() == [1, 0]
    assert predictions(LOGITS).tolist() == LOGITS.argmax(1).tolist()
    with pytest.raises(
        ConfigError, match="class 2 does not exist: the classifier has classes 0 to"
    ):
        target_losses([2, 0], logits)


def test_one_part_is_found_by_name_or_by_form() -> None:
    rows, wide, flags = torch.zeros(2, 3), torch.zeros(2, 3, 4), torch.zeros(2)
    how = (2, ("logits",), 2, "logits (B, classes)", "ClassTarget")
    assert find_part(rows, *how) is rows
    assert find_part((wide, rows, flags), *how) is rows
    assert find_part({"logits": rows, "other": rows + 1}, *how) is rows
    with pytest.raises(AttributionError, match=r"'0' \(2, 3\), '1' \(2, 3\)"):
        find_part({"0": rows, "1": rows + 1}, *how)
    with pytest.raises(AttributionError, match=r"Tensor with \(2, 3, 4\) for 2 inputs"):
        find_part(wide, *how)


def test_a_label_is_there_above_one_half_alone() -> None:
    question = MultiLabelTarget().settle(torch.tensor([0.0, 1.0, -1.0, 0.1]), Facts())
    assert question.name == "class 1 and class 3"
    nothing = MultiLabelTarget().settle(torch.zeros(2), Facts())
    assert nothing.name == "none of the classes"


def test_each_sample_has_its_part_of_the_targets() -> None:
    assert target_of([4, "cat", None], 1) == ["cat"]
    assert target_of(torch.tensor([4, 5, 6]), 0).tolist() == [4]
    one_hot = torch.eye(3)[:2]
    torch.testing.assert_close(target_of(one_hot, 1), one_hot[1:])
    for shared in (None, 3, "cat", ClassTarget(2), torch.tensor(3)):
        assert target_of(shared, 1) is shared
