"""Insertion and deletion as an evaluation command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from input_iba.evaluation import insertion_deletion
from input_iba.evaluation.base import Case, Setting, check_at_least
from input_iba.evaluation.metrics.two_curves import Curves, TwoCurvesMetric


@dataclass(frozen=True)
class InsertionDeletionMetric(TwoCurvesMetric):
    """Target probability while pixels appear and disappear, hottest first.

    Attributes:
        sigma: Deviation of the blur in pixels.
        pixel_batch_size: Pixels per step.
        blur_radius: Pixels that the blur reaches to each side; None for round(2σ).
    """

    name: ClassVar = "insertion_deletion"
    higher_is_better: ClassVar = {"ins_auc": True, "del_auc": False, "difference": True}
    labels: ClassVar = {
        "ins": "insertion, higher is better",
        "del": "deletion, lower is better",
    }
    x_label: ClassVar = "share of the pixels changed"

    sigma: float = 5.0
    pixel_batch_size: int = 10
    blur_radius: int | None = None

    def __post_init__(self) -> None:
        check_at_least("--sigma", self.sigma, 0)
        check_at_least("--pixel-batch-size", self.pixel_batch_size, 1)
        if self.blur_radius is not None:
            check_at_least("--blur-radius", self.blur_radius, 0)

    def measure(self, setting: Setting, case: Case) -> tuple[Tensor, Curves]:
        """Return shares, and curve and area of insertion and of deletion."""
        found = insertion_deletion(
            setting.classify,
            case.sample.input[None],
            case.heat[None],
            [case.target],
            self.pixel_batch_size,
            self.sigma,
            setting.rows(case.sample.input),
            setting.use_softmax,
            self.blur_radius,
        )
        insertion = (found.insertion[0], found.insertion_auc.item())
        return found.shares, [insertion, (found.deletion[0], found.deletion_auc.item())]

    def title(self) -> str:
        """Return what stands above the chart."""
        return "Insertion and deletion"
