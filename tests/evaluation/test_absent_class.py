"""Bits for absent classes: the separation, which classes are absent, and what a row says."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from torch import Tensor

from input_iba.core.fitting import FittingRows
from input_iba.errors import EvaluationError
from input_iba.evaluation import METRICS, ScoredSample, separation
from input_iba.evaluation.absent_class import AbsentClassMetric, absent_classes
from input_iba.records import ImageSample

values = st.lists(st.integers(0, 9), min_size=1, max_size=12)


@given(values, values)
def test_separation_is_the_u_statistic_as_a_share(present: list[int], absent: list[int]) -> None:
    expected = mannwhitneyu(present, absent).statistic / (len(present) * len(absent))
    found = separation(present, absent)
    assert found == pytest.approx(expected)
    assert separation(absent, present) == pytest.approx(1 - found)
    assert separation([3 * value + 1 for value in present], [3 * v + 1 for v in absent]) == found


def test_separation_needs_values_of_both() -> None:
    for present, absent in (([], [1.0]), ([1.0], [])):
        with pytest.raises(EvaluationError, match="needs values of both"):
            separation(present, absent)


def test_which_classes_are_absent() -> None:
    sure = torch.tensor([0.05, 0.5, 0.01, 0.3, 0.14])
    assert absent_classes(sure, "least", 2, "a") == [2, 0]
    assert absent_classes(sure, "least", 9, "a") == [2, 0, 4, 3]
    drawn = {tuple(absent_classes(sure, "random", 2, str(seed))) for seed in range(99)}
    assert drawn == {(a, b) for a in (0, 2, 4) for b in (0, 2, 4) if a != b}
    assert absent_classes(sure, "random", 2, "a") == absent_classes(sure, "random", 2, "a")
    assert absent_classes(torch.tensor([1.0]), "least", 1, "a") == []


class ByClass:
    """A method whose map of class c is c + 1 at two pixels and −5 at a third, times its peak."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str, int]] = []

    def estimate(self, batches: Any, n_samples: int) -> None:
        assert n_samples == 7

    def attribute(
        self, inputs: Tensor, targets: Sequence[int], *, ids: Sequence[str], seed: int, **_: Any
    ) -> list[Any]:
        self.asked.append((targets[0], ids[0], seed))
        heat = torch.zeros(inputs.shape[-2:])
        heat[0, :2], heat[1, 1] = targets[0] + 1, -5
        return [SimpleNamespace(map=heat, peak=0.5)]


def test_a_class_as_probable_as_all_others_is_not_absent() -> None:
    assert absent_classes(torch.full((4,), 0.25), "random", 2, "0") == []
    assert absent_classes(torch.tensor([0.25, 0.25, 0.3, 0.2]), "random", 2, "0") == [3]


def test_a_row_compares_the_predicted_class_with_absent_ones() -> None:
    method = ByClass()
    context: Any = SimpleNamespace(
        make_method=lambda name: method,
        estimation_inputs=lambda count: (iter(()), count),
        classify=lambda inputs: torch.tensor([[0.0, 2.0, 5.0, 1.0]]).expand(len(inputs), 4),
        use_softmax=True,
        seed=3,
        fitting=FittingRows(4, torch.device("cpu")),
        config_path="config.py",
    )
    image = torch.zeros(3, 4, 4)
    case = ScoredSample(ImageSample("a", image, 1, image=image), 1, 0.1, torch.zeros(4, 4))
    metric = AbsentClassMetric(n_absent=2, n_estimation=7)
    row = metric.scorer(context)(case)
    assert row == {
        "difference": 0.5,
        "separated": 0.5,
        "present": 3.0,
        "absent": 2.5,
        "predicted": 2,
        "absent_classes": [0, 3],
        "absent_all": [1.0, 4.0],
    }
    assert method.asked == [(2, "a", 3), (0, "a", 3), (3, "a", 3)]
    assert isinstance(row, dict)
    verdict = metric.verdict([row, {**row, "present": 9.0}])
    assert (verdict["auroc"], verdict["passes"]) == (0.75, False)
    assert metric.verdict([{**row, "present": 9.0}])["passes"]
    assert "AUROC 0.500" in metric.chart([row]).title


def test_it_is_a_metric_of_images_and_texts() -> None:
    assert METRICS["absent_class"] is AbsentClassMetric
    assert AbsentClassMetric.kind is None
    assert not AbsentClassMetric.needs_map
