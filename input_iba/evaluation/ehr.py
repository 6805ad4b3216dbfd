"""Effective Heat Ratio: how much of the heat lies in the region of interest, at every quantile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.evaluation.curves import rounded
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.core.files import Readable
    from input_iba.drawing import Chart

STEPS = 10
"""Quantiles 0, 1/10, …, 1."""


@dataclass(frozen=True)
class HeatRatios:
    """Effective heat ratios of S maps; higher is better.

    Attributes:
        quantiles: (11,), 0 to 1.
        ratios: (S, 11), in [0, 1]; 0 where a map has no heat above the base threshold.
        area: Area under the ratios over the quantiles, (S,), in [0, 1].
    """

    quantiles: Tensor
    ratios: Tensor
    area: Tensor


def effective_heat_ratios(
    heats: Tensor, regions: Tensor, base_threshold: float = 0.1, weight_by_heat: bool = True
) -> HeatRatios:
    """Compare the heat inside a region with the hot points of the whole map, in float64.

    Values below `base_threshold` are dropped. For every quantile q of the others the threshold is
    t = min(quantile(q), 0.99·max), and the ratio the heat inside the region among the points ≥ t
    divided by the number of points ≥ t.

    Args:
        heats: (S, H, W), at most 1; negative values count as no heat.
        regions: (S, H, W), true or non-zero inside.
        base_threshold: Smallest heat that counts, in [0, 1].
        weight_by_heat: With False every point counts as 1.

    Raises:
        EvaluationError: Shapes differ, values are not finite, or exceed 1.

    References:
        Zhang et al. 2021, "Fine-grained neural network explanation by identifying input features
        with predictive information" (arXiv 2110.01471), section 4.
    """
    import torch

    from input_iba.core.maps import check_maps

    check_maps(heats, tuple(regions.shape))
    highest = float(heats.max())
    if highest > 1 + 1e-6:
        raise EvaluationError(
            f"Effective heat ratios need maps in [0, 1]; the highest value is {highest:.4g}. "
            "Divide the map by its maximum (scale_to_peak)."
        )
    flat = heats.flatten(1).double()
    flat = torch.where(flat >= base_threshold, flat, -torch.inf)
    ordered, order = flat.sort(dim=1)
    inside = (regions != 0).flatten(1).to(flat.device).gather(1, order).double()
    if weight_by_heat:
        inside = torch.where(inside > 0, ordered.clamp(min=0), 0)
    first = torch.searchsorted(ordered, _thresholds(ordered))  # the points ≥ t start here
    points = ordered.shape[1] - first
    # What lies inside among the last n points, for every n from all of them to none.
    tails = torch.nn.functional.pad(inside.flip(1).cumsum(1).flip(1), (0, 1))
    none = ordered[:, -1:] == -torch.inf
    ratios = torch.where(none, 0, tails.gather(1, first) / points.clamp(min=1))
    quantiles = torch.arange(STEPS + 1, device=flat.device, dtype=flat.dtype) / STEPS
    return HeatRatios(quantiles, ratios, torch.trapezoid(ratios, quantiles, dim=1))


def _thresholds(ordered: Tensor) -> Tensor:
    """Return t of every quantile, (S, 11), for ascending heats (S, P) with −∞ for dropped ones."""
    import torch

    size = ordered.shape[1]
    kept = (ordered > -torch.inf).sum(1, keepdim=True)
    # In whole numbers: a quantile that is one of the points must not miss it by rounding.
    tenths = torch.arange(STEPS + 1, device=ordered.device) * (kept - 1).clamp(min=0)
    low = ((size - kept) + tenths // STEPS).clamp(max=size - 1)
    left, right = ordered.gather(1, low), ordered.gather(1, (low + 1).clamp(max=size - 1))
    part = (tenths % STEPS).double() / STEPS
    quantiles = torch.where(part > 0, left + part * (right - left), left)
    return torch.minimum(quantiles, 0.99 * ordered[:, -1:])


@dataclass(frozen=True)
class EhrMetric(Metric):
    """Heat in the region among the hottest points, over quantiles."""

    name: ClassVar = "ehr"
    description: ClassVar = "Measure how much of the heat lies in the boxes of objects."
    higher_is_better: ClassVar = {"auc": True}

    weight: bool = setting(False, "let points count by their heat")
    roi: Literal["bboxes", "masks"] = setting(
        "bboxes", "regions: the data set's boxes, or masks in --masks-dir"
    )
    masks_dir: Path | None = setting(
        None, "masks named as maps are, non-zero inside", metavar="DIR"
    )
    base_threshold: float = setting(0.1, "smallest heat that counts", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.roi == "masks") != (self.masks_dir is not None):
            raise EvaluationError(
                "--roi masks and --masks-dir DIR belong together: the data sets hold boxes, so "
                "masks come from a folder with one file per sample. Give both or neither."
            )

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""
        from input_iba.core.maps import scale_to_peak
        from input_iba.evaluation.regions import region_of
        from input_iba.results.map_files import find_maps

        masks = {} if self.masks_dir is None else find_maps(self.masks_dir, context.ids)

        def score(case: ScoredSample) -> Row | str:
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
        from input_iba.drawing import Chart, mean_line

        quantiles = [step / STEPS for step in range(STEPS + 1)]
        lines = [mean_line("higher is better", quantiles, [row["ratios"] for row in rows])]
        title = f"Effective heat ratio, mean of {len(rows)} samples"
        return Chart(title, "quantile of the heat", "heat in the region, share", lines)


def _mask_of(case: ScoredSample, masks: Mapping[str, Readable]) -> Tensor | str:
    """Return the region that a file holds, (H, W), or why there is none to use."""
    from input_iba.evaluation.regions import small_enough
    from input_iba.results.map_files import read_map

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
