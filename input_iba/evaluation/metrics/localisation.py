"""Pointing game, mass in the region and overlap as one evaluation command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from input_iba.drawing import Chart, share_line
from input_iba.errors import EvaluationError
from input_iba.evaluation import localise
from input_iba.evaluation.base import (
    Case,
    Metric,
    Row,
    Score,
    Setting,
    check_at_least,
    region_of,
)
from input_iba.evaluation.localisation import TOLERANCE


@dataclass(frozen=True)
class LocalisationMetric(Metric):
    """Whether the heat lies in the boxes.

    Attributes:
        tolerance: Pixels by which the hottest pixel may miss the region.
        threshold: Share of a map's maximum from which a pixel is hot, for the overlap.
    """

    name: ClassVar = "localisation"
    higher_is_better: ClassVar = {"hit": True, "mass": True, "iou": True, "rank": True}

    tolerance: float = TOLERANCE
    threshold: float = 0.5

    def __post_init__(self) -> None:
        check_at_least("--tolerance", self.tolerance, 0)
        if not 0 < self.threshold <= 1:
            raise EvaluationError(f"--threshold is a share in (0, 1]; got {self.threshold!r}.")

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""

        def score(case: Case) -> Row | str:
            region = region_of(case)
            if isinstance(region, str):
                return region
            found = localise(case.heat[None], region[None], self.tolerance, self.threshold)
            return {
                "hit": found.hit.item(),
                "mass": found.mass.item(),
                "iou": found.iou.item(),
                "rank": found.rank.item(),
            }

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the share of the samples that reaches each value."""
        lines = [
            share_line(label, [row[key] for row in rows])
            for label, key in (("mass in the region", "mass"), ("intersection over union", "iou"))
        ]
        hits = sum(row["hit"] for row in rows) / len(rows)
        title = f"Localisation of {len(rows)} samples; pointing game {hits:.1%}"
        return Chart(title, "value, higher is better", "share of samples at least so high", lines)
