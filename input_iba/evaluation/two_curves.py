"""Metrics of two curves: one that should be high, and one that should be low."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.evaluation.curves import POINTS, resampled

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.drawing import Chart

Curves = Sequence[tuple["Tensor", float]]
"""The high curve (T,) with its area, then the low one."""


@dataclass(frozen=True)
class TwoCurvesMetric(Metric):
    """Follows the target's probability along a way that should be high and one that should be low.

    `labels` are from the beginning of a curve's keys to what it shows, the high one first. `title`
    stands above the chart, with settings in braces.
    """

    labels: ClassVar[Mapping[str, str]]
    x_label: ClassVar[str]
    title: ClassVar[str]

    @abstractmethod
    def measure(self, context: EvaluationContext, case: ScoredSample) -> tuple[Tensor, Curves]:
        """Return shares (T,) and the two curves over them."""

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""

        def score(case: ScoredSample) -> Row:
            shares, found = self.measure(context, case)
            (_, high), (_, low) = found
            named = list(zip(self.labels, found, strict=True))
            areas = {f"{key}_auc": area for key, (_, area) in named}
            curves = {f"{key}_curve": resampled(shares, curve) for key, (curve, _) in named}
            return {**areas, "difference": high - low, **curves}

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return both mean curves."""
        from input_iba.drawing import Chart, mean_line

        shares = [point / (POINTS - 1) for point in range(POINTS)]
        lines = [
            mean_line(label, shares, [row[f"{key}_curve"] for row in rows])
            for key, label in self.labels.items()
        ]
        title = f"{self.title.format(**vars(self))}, mean of {len(rows)} samples"
        return Chart(title, self.x_label, "target probability", lines)
