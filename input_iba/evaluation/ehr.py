"""Effective Heat Ratio: how much of the heat lies in the region of interest, at every quantile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from input_iba.core.maps import as_map, check_maps
from input_iba.errors import EvaluationError
from input_iba.evaluation.regions import box_mask

MAX_REGION_SHARE = 0.33
"""Samples whose region covers more of the picture are skipped: any map would do well there."""

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
    """Compare the heat inside a region with the hot points of the whole map.

    Values below `base_threshold` are dropped. For every quantile q of the others the threshold is
    t = min(quantile(q), 0.99·max), and the ratio the heat inside the region among the points ≥ t
    divided by the number of points ≥ t.

    Args:
        heats: (S, H, W), at most 1; negative values count as no heat.
        regions: (S, H, W), true or non-zero inside.
        base_threshold: Smallest heat that counts, in [0, 1].
        weight_by_heat: With False every point counts as 1: the share of the points ≥ t that lie
            inside.

    Returns:
        Quantiles, ratios and areas, float64, on the device of `heats`.

    Raises:
        EvaluationError: Shapes differ, values are not finite, or exceed 1.

    References:
        Zhang et al. 2021, "Fine-grained neural network explanation by identifying input features
        with predictive information" (arXiv 2110.01471), section 4.
    """
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
    thresholds = _thresholds(ordered)
    first = torch.searchsorted(ordered, thresholds)  # the points ≥ t start here
    points = ordered.shape[1] - first
    # What lies inside among the last n points, for every n from all of them to none.
    tails = torch.nn.functional.pad(inside.flip(1).cumsum(1).flip(1), (0, 1))
    none = ordered[:, -1:] == -torch.inf
    ratios = torch.where(none, 0, tails.gather(1, first) / points.clamp(min=1))
    quantiles = torch.arange(STEPS + 1, device=flat.device, dtype=flat.dtype) / STEPS
    return HeatRatios(quantiles, ratios, torch.trapezoid(ratios, quantiles, dim=1))


def _thresholds(ordered: Tensor) -> Tensor:
    """Return t of every quantile, (S, 11), for ascending heats (S, P) with −∞ for dropped ones."""
    size = ordered.shape[1]
    kept = (ordered > -torch.inf).sum(1, keepdim=True)
    # In whole numbers: a quantile that is one of the points must not miss it by rounding.
    tenths = torch.arange(STEPS + 1, device=ordered.device) * (kept - 1).clamp(min=0)
    low = ((size - kept) + tenths // STEPS).clamp(max=size - 1)
    left, right = ordered.gather(1, low), ordered.gather(1, (low + 1).clamp(max=size - 1))
    part = (tenths % STEPS).double() / STEPS
    quantiles = torch.where(part > 0, left + part * (right - left), left)
    return torch.minimum(quantiles, 0.99 * ordered[:, -1:])


class EffectiveHeatRatios:
    """Effective heat ratios of one map at a time.

    Args:
        base_threshold: Smallest heat that counts, in [0, 1].

    >>> heat = np.zeros((10, 10))
    >>> heat[2:6, 3:7] = 1.0
    >>> round(EffectiveHeatRatios().evaluate(heat, (3, 2, 7, 6))["auc"], 6)
    1.0
    """

    def __init__(self, base_threshold: float = 0.1) -> None:
        self.base_threshold = base_threshold

    def evaluate(
        self,
        heatmap: ArrayLike | Tensor,
        roi: ArrayLike | Tensor,
        return_curve: bool = False,
        weight_by_heat: bool = True,
    ) -> dict[str, Any]:
        """Score one map.

        Args:
            heatmap: (H, W), in [0, 1]; it is not changed.
            roi: One box (x1, y1, x2, y2), several of them, or a binary mask (H, W).
            return_curve: Whether to return the curve too.
            weight_by_heat: As in `effective_heat_ratios`.

        Returns:
            `auc`, a float; with the curve also `quantiles` and `ratios`, arrays (11,).

        Raises:
            EvaluationError: The map or the region cannot be used.
        """
        heat = as_map(heatmap)
        region = _region(roi, (heat.shape[0], heat.shape[1]))
        found = effective_heat_ratios(heat[None], region[None], self.base_threshold, weight_by_heat)
        result: dict[str, Any] = {"auc": found.area.item()}
        if return_curve:
            result |= {"quantiles": found.quantiles.numpy(), "ratios": found.ratios[0].numpy()}
        return result


def _region(roi: ArrayLike | Tensor, size: tuple[int, int]) -> Tensor:
    """Turn boxes or a mask into a mask (H, W); an array of the map's own shape is a mask."""
    if isinstance(roi, Sequence) and any(isinstance(box, Tensor) for box in roi):
        roi = [np.asarray(box) for box in roi]
    values = roi.detach().cpu() if isinstance(roi, Tensor) else torch.from_numpy(np.array(roi))
    if tuple(values.shape) == size:
        return values != 0
    return box_mask(values, *size)
