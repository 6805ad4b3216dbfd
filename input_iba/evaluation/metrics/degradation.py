"""Degradation by tiles as an evaluation command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from input_iba.evaluation import degradation
from input_iba.evaluation.base import Case, Setting, check_at_least
from input_iba.evaluation.metrics.two_curves import Curves, TwoCurvesMetric


@dataclass(frozen=True)
class DegradationMetric(TwoCurvesMetric):
    """Target probability while tiles vanish, most relevant first and least relevant first.

    Attributes:
        tile_size: Pixels per side of a tile.
    """

    name: ClassVar = "degradation"
    higher_is_better: ClassVar = {"LeRF_auc": True, "MoRF_auc": False, "difference": True}
    labels: ClassVar = {
        "LeRF": "least relevant first, higher is better",
        "MoRF": "most relevant first, lower is better",
    }
    x_label: ClassVar = "share of the tiles removed"

    tile_size: int = 8

    def __post_init__(self) -> None:
        check_at_least("--tile-size", self.tile_size, 1)

    def measure(self, setting: Setting, case: Case) -> tuple[Tensor, Curves]:
        """Return shares, and curve and area with the least and the most relevant tiles first."""
        found = degradation(
            setting.classify,
            case.sample.input[None],
            case.heat[None],
            [case.target],
            self.tile_size,
            setting.rows(case.sample.input),
            setting.use_softmax,
        )
        least = (found.lerf[0], found.lerf_auc.item())
        return found.shares, [least, (found.morf[0], found.morf_auc.item())]

    def title(self) -> str:
        """Return what stands above the chart."""
        return f"Degradation by tiles of {self.tile_size} pixels"
