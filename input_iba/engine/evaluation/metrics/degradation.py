"""Degradation by tiles as an evaluation command."""

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
from input_iba.evaluation import degradation
from input_iba.visualization import Chart


@dataclass(frozen=True)
class DegradationMetric(Metric):
    """Target probability while tiles vanish, most relevant first and least relevant first.

    Attributes:
        tile_size: Pixels per side of a tile.
    """

    name: ClassVar = "degradation"
    higher_is_better: ClassVar = {"MoRF_auc": False, "LeRF_auc": True, "difference": True}

    tile_size: int = 8

    def __post_init__(self) -> None:
        check_at_least("--tile-size", self.tile_size, 1)

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""

        def score(case: Case) -> Row:
            found = degradation(
                setting.classify,
                case.sample.input[None],
                case.heat[None],
                [case.target],
                self.tile_size,
                setting.rows(case.sample.input),
                setting.config.use_softmax,
            )
            return {
                "MoRF_auc": found.morf_auc.item(),
                "LeRF_auc": found.lerf_auc.item(),
                "difference": found.difference.item(),
                "MoRF_curve": resampled(found.shares, found.morf[0]),
                "LeRF_curve": resampled(found.shares, found.lerf[0]),
            }

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return both mean curves."""
        labels = {
            "LeRF_curve": "least relevant first, higher is better",
            "MoRF_curve": "most relevant first, lower is better",
        }
        title = f"Degradation by tiles of {self.tile_size} pixels, mean of {len(rows)} samples"
        return Chart(
            title, "share of the tiles removed", "target probability", mean_curves(rows, labels)
        )
