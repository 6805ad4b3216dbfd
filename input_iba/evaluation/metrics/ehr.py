"""Effective heat ratios as an evaluation command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from torch import Tensor

from input_iba.drawing import Chart, mean_line
from input_iba.errors import EvaluationError
from input_iba.evaluation import effective_heat_ratios, scale_to_peak
from input_iba.evaluation.base import (
    Case,
    Metric,
    Row,
    Score,
    Setting,
    check_at_least,
    region_of,
    rounded,
    small_enough,
)
from input_iba.evaluation.ehr import STEPS
from input_iba.results.map_files import find_maps, read_map


@dataclass(frozen=True)
class EhrMetric(Metric):
    """Heat in the region among the hottest points, over quantiles.

    Attributes:
        weight: Whether points count by their heat; else each counts as 1.
        roi: Whether regions are the data set's boxes, or masks in files.
        masks_dir: Folder of the masks, named as maps are; non-zero inside.
        base_threshold: Smallest heat that counts.
    """

    name: ClassVar = "ehr"
    higher_is_better: ClassVar = {"auc": True}

    weight: bool = False
    roi: Literal["bboxes", "masks"] = "bboxes"
    masks_dir: Path | None = None
    base_threshold: float = 0.1

    def __post_init__(self) -> None:
        check_at_least("--base-threshold", self.base_threshold, 0)
        if (self.roi == "masks") != (self.masks_dir is not None):
            raise EvaluationError(
                "--roi masks and --masks-dir DIR belong together: the data sets hold boxes, so "
                "masks come from a folder with one file per sample. Give both or neither."
            )

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""
        masks = {} if self.masks_dir is None else find_maps(self.masks_dir, setting.ids)

        def score(case: Case) -> Row | str:
            region = region_of(case) if self.masks_dir is None else _mask_of(case, masks)
            if isinstance(region, str):
                return region
            found = effective_heat_ratios(
                scale_to_peak(case.heat)[None], region[None], self.base_threshold, self.weight
            )
            return {"auc": found.area.item(), "ratios": rounded(found.ratios[0])}

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the mean ratio at every quantile."""
        quantiles = [step / STEPS for step in range(STEPS + 1)]
        lines = [mean_line("higher is better", quantiles, [row["ratios"] for row in rows])]
        title = f"Effective heat ratio, mean of {len(rows)} samples"
        return Chart(title, "quantile of the heat", "heat in the region, share", lines)


def _mask_of(case: Case, masks: Mapping[str, Path]) -> Tensor | str:
    """Return the region that a file holds, (H, W), or why there is none to use."""
    path = masks.get(case.sample.id)
    if path is None:
        return "no mask of the region"
    region = read_map(path)
    if region.shape != case.heat.shape:
        raise EvaluationError(
            f"Mask '{path}' has shape {tuple(region.shape)}, the map {tuple(case.heat.shape)}. "
            "Resize the mask."
        )
    return small_enough(region)
