"""Insertion and deletion as an evaluation command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from input_iba.engine.evaluation.metrics.base import (
    Case,
    Metric,
    Row,
    Score,
    Setting,
    check_at_least,
    mean_curves,
    resampled,
)
from input_iba.evaluation import insertion_deletion
from input_iba.visualization import Chart


@dataclass(frozen=True)
class InsertionDeletionMetric(Metric):
    """Target probability while pixels appear and disappear, hottest first.

    Attributes:
        sigma: Deviation of the blur in pixels.
        pixel_batch_size: Pixels per step.
    """

    name: ClassVar = "insertion_deletion"
    higher_is_better: ClassVar = {"ins_auc": True, "del_auc": False, "difference": True}

    sigma: float = 5.0
    pixel_batch_size: int = 10

    def __post_init__(self) -> None:
        check_at_least("--sigma", self.sigma, 0)
        check_at_least("--pixel-batch-size", self.pixel_batch_size, 1)

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""

        def score(case: Case) -> Row:
            found = insertion_deletion(
                setting.classify,
                case.sample.input[None],
                case.heat[None],
                [case.target],
                self.pixel_batch_size,
                self.sigma,
                setting.rows(case.sample.input),
                setting.config.use_softmax,
            )
            return {
                "ins_auc": found.insertion_auc.item(),
                "del_auc": found.deletion_auc.item(),
                "difference": found.difference.item(),
                "ins_curve": resampled(found.shares, found.insertion[0]),
                "del_curve": resampled(found.shares, found.deletion[0]),
            }

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return both mean curves."""
        labels = {
            "ins_curve": "insertion, higher is better",
            "del_curve": "deletion, lower is better",
        }
        title = f"Insertion and deletion, mean of {len(rows)} samples"
        return Chart(
            title, "share of the pixels changed", "target probability", mean_curves(rows, labels)
        )
