"""What metrics share that follow the target's probability along two ways."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from input_iba.drawing import Chart
from input_iba.evaluation.base import (
    Case,
    Metric,
    Row,
    Score,
    Setting,
    mean_curves,
    resampled,
)

Curves = Sequence[tuple[Tensor, float]]
"""The high curve (T,) with its area, then the low one."""


@dataclass(frozen=True)
class TwoCurvesMetric(Metric):
    """A curve that should be high, one that should be low, and the area between them.

    Attributes:
        labels: From the beginning of a curve's keys to what it shows, the high one first.
        x_label: What the curves are drawn over.
    """

    labels: ClassVar[Mapping[str, str]]
    x_label: ClassVar[str]

    @abstractmethod
    def measure(self, setting: Setting, case: Case) -> tuple[Tensor, Curves]:
        """Return shares (T,) and the two curves over them."""

    @abstractmethod
    def title(self) -> str:
        """Return what stands above the chart."""

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""

        def score(case: Case) -> Row:
            shares, found = self.measure(setting, case)
            (_, high), (_, low) = found
            areas = {f"{key}_auc": area for key, (_, area) in zip(self.labels, found, strict=True)}
            curves = {
                f"{key}_curve": resampled(shares, curve)
                for key, (curve, _) in zip(self.labels, found, strict=True)
            }
            return {**areas, "difference": high - low, **curves}

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return both mean curves."""
        labels = {f"{key}_curve": label for key, label in self.labels.items()}
        title = f"{self.title()}, mean of {len(rows)} samples"
        return Chart(title, self.x_label, "target probability", mean_curves(rows, labels))
