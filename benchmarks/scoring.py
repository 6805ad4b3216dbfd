"""Score all maps of one sample by each metric that the comparison offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from input_iba.evaluation import (
    MAX_REGION_SHARE,
    box_mask,
    effective_heat_ratios,
    insertion_deletion,
    region_share,
    scale_to_peak,
)
from input_iba.modality.units import Classify

HIGHER_IS_BETTER = {"insertion": True, "deletion": False, "insertion-deletion": True, "ehr": True}
"""What is reported, and in which direction it is good."""


@dataclass(frozen=True)
class Case:
    """One sample and the maps of it.

    Attributes:
        classify: Maps inputs (B, C, H, W) to logits (B, classes).
        x: Normalised input (C, H, W).
        target: Class index.
        boxes: Boxes (n, 4) as x1, y1, x2, y2 in pixels of `x`, or None.
        heats: Maps (M, H, W).
        steps: Steps of insertion and deletion, from no pixel to all.
    """

    classify: Classify
    x: Tensor
    target: int
    boxes: Tensor | None
    heats: Tensor
    steps: int


Found = Mapping[str, Tensor] | str
"""Scores (M,) by what is reported, or why the sample is left out."""


def by_insertion_deletion(case: Case) -> Found:
    """Score maps by insertion and deletion."""
    count, pixels = len(case.heats), case.heats[0].numel()
    inputs, targets = case.x.expand(count, -1, -1, -1), [case.target] * count
    size = -(-pixels // case.steps)
    found = insertion_deletion(case.classify, inputs, case.heats, targets, size)
    areas = (found.insertion_auc, found.deletion_auc, found.difference)
    return dict(zip(("insertion", "deletion", "insertion-deletion"), areas, strict=True))


def by_ehr(case: Case) -> Found:
    """Score maps by effective heat ratio, each divided by its maximum."""
    if case.boxes is None or len(case.boxes) == 0:
        return "no boxes, so no ehr"
    region = box_mask(case.boxes.to(case.heats.device), case.x.shape[-2], case.x.shape[-1])
    if float(region_share(region)) > MAX_REGION_SHARE:
        return f"region above {MAX_REGION_SHARE:.0%} of the picture, so no ehr"
    scaled = scale_to_peak(case.heats)
    return {"ehr": effective_heat_ratios(scaled, region.expand_as(scaled)).area}


METRICS: dict[str, Callable[[Case], Found]] = {
    "insertion_deletion": by_insertion_deletion,
    "ehr": by_ehr,
}
"""How maps are scored, by the name that `--metrics` takes."""
