"""Localisation: whether the heat lies where the object is.

All functions take maps (S, H, W) and as many regions, true or non-zero inside, and return float64
values (S,). They raise an EvaluationError where shapes differ, values are not finite, a region is
empty, or another argument is out of its range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.drawing import Chart

TOLERANCE = 15
"""Pixels by which a point may miss its region and still count, as the pointing game has it."""


@dataclass(frozen=True)
class Localisation:
    """How well S maps are placed, each (S,), float64, in [0, 1]; higher is better.

    They are what `pointing_game`, `mass_inside`, `region_iou`, `top_inside` and `best_iou` return.
    """

    hit: Tensor
    mass: Tensor
    iou: Tensor
    rank: Tensor
    best_iou: Tensor


def localise(
    heats: Tensor, regions: Tensor, tolerance: float = TOLERANCE, threshold: float = 0.5
) -> Localisation:
    """Score maps by all five measures."""
    return Localisation(
        pointing_game(heats, regions, tolerance),
        mass_inside(heats, regions),
        region_iou(heats, regions, threshold),
        top_inside(heats, regions),
        best_iou(heats, regions),
    )


def pointing_game(heats: Tensor, regions: Tensor, tolerance: float = TOLERANCE) -> Tensor:
    """Return whether the hottest pixel lies in the region or at most `tolerance` pixels beside it.

    Distances are those of pixel centres. Where several pixels are the hottest, the result is the
    share of them that hit, so that a map does not gain by the order in which pixels are read.

    References:
        Zhang et al. 2018, "Top-down neural attention by excitation backprop" (arXiv 1608.00507),
        section 4.1, with 15 pixels.
    """
    import numpy as np
    import torch
    from scipy.ndimage import distance_transform_edt

    inside = _checked(heats, regions)
    if tolerance < 0:
        raise EvaluationError(f"The tolerance is a distance in pixels, ≥ 0; got {tolerance!r}.")
    regions_off = inside.logical_not().cpu().numpy()
    near = np.stack([distance_transform_edt(off) <= tolerance for off in regions_off])
    hottest = heats == heats.amax((1, 2), keepdim=True)
    hits = hottest & torch.from_numpy(near).to(heats.device)
    return hits.sum((1, 2)).double() / hottest.sum((1, 2))


def mass_inside(heats: Tensor, regions: Tensor) -> Tensor:
    """Return the share of the heat that lies in the region, in [0, 1]; 0 where there is no heat.

    Negative values count as no heat.

    References:
        Wang et al. 2020, "Score-CAM" (arXiv 1910.01279), section 4.3, the energy-based pointing
        game.
    """
    import torch

    inside = _checked(heats, regions)
    heat = heats.double().clamp(min=0)
    total = heat.sum((1, 2))
    return torch.where(total > 0, (heat * inside).sum((1, 2)) / total, 0)


def region_iou(heats: Tensor, regions: Tensor, threshold: float = 0.5) -> Tensor:
    """Return the intersection over union of hot pixels and region, in [0, 1].

    Pixels of at least the share `threshold`, in (0, 1], of their map's maximum are hot; none in a
    map without a value above 0.
    """
    inside = _checked(heats, regions)
    if not 0 < threshold <= 1:
        raise EvaluationError(
            f"The threshold is a share of the map's maximum, in (0, 1]; got {threshold!r}."
        )
    heat = heats.double()
    highest = heat.amax((1, 2), keepdim=True)
    hot = (heat >= threshold * highest) & (highest > 0)
    return (hot & inside).sum((1, 2)).double() / (hot | inside).sum((1, 2))


def best_iou(heats: Tensor, regions: Tensor) -> Tensor:
    """Return the highest `region_iou` over all thresholds, in [0, 1].

    It asks whether some level of the map outlines the region, whatever its unit and contrast.

    References:
        Choe et al. 2020, "Evaluating weakly supervised object localization methods right"
        (arXiv 2001.07437), section 4.1, where the threshold is part of the evaluation; here it is
        each map's own.
    """
    import torch

    inside = _checked(heats, regions).flatten(1)
    heat, order = heats.double().flatten(1).sort(dim=1, descending=True)
    both = inside.gather(1, order).cumsum(1)
    either = torch.arange(1, heat.shape[1] + 1, device=heat.device) + inside.sum(1, True) - both
    # A threshold takes all pixels of a value or none, and is above 0.
    last = torch.cat([heat[:, 1:] < heat[:, :-1], torch.ones_like(inside[:, :1])], 1)
    return (both / either).double().where(last & (heat > 0), 0).amax(1)


def top_inside(heats: Tensor, regions: Tensor, k: int | None = None) -> Tensor:
    """Return the share of the k hottest pixels that lie in the region, in [0, 1].

    None takes as many pixels as each region has. Where pixels of equal heat compete for the last
    places, the result is the mean over all their orders: a map of one value gets the share of the
    image that the region covers.

    References:
        With k=None the relevance rank accuracy of Arras et al. 2022, "CLEVR-XAI"
        (arXiv 2003.07258), section 3.2; else the intersection of Theiner et al. 2021
        (arXiv 2104.14995).
    """
    from input_iba.evaluation.ranks import expected_inside

    inside = _checked(heats, regions)
    pixels = heats[0].numel()
    if k is not None and not 1 <= k <= pixels:
        raise EvaluationError(f"k, a number of pixels, must be 1 to {pixels}; got {k!r}.")
    counts = inside.sum((1, 2)) if k is None else heats.new_full((len(heats),), k).long()
    return expected_inside(heats.flatten(1), inside.flatten(1), counts) / counts


def _checked(heats: Tensor, regions: Tensor) -> Tensor:
    """Return which pixels lie in the regions, (S, H, W), where the maps are."""
    from input_iba.core.maps import check_maps

    check_maps(heats, tuple(regions.shape))
    inside = (regions != 0).to(heats.device)
    empty = ~inside.flatten(1).any(1)
    if bool(empty.any()):
        raise EvaluationError(
            f"The regions at {empty.nonzero().flatten().tolist()} hold no pixel, so nothing can "
            "lie in them. Leave these samples out."
        )
    return inside


@dataclass(frozen=True)
class LocalisationMetric(Metric):
    """Whether the heat lies in the boxes."""

    name: ClassVar = "localisation"
    description: ClassVar = "Play the pointing game; measure mass in the region and overlap."
    higher_is_better: ClassVar = dict.fromkeys(("hit", "mass", "iou", "rank", "best_iou"), True)

    tolerance: float = setting(TOLERANCE, "pixels by which the hottest pixel may miss", at_least=0)
    threshold: float = setting(
        0.5, "share of the maximum from which a pixel is hot", above=0, at_most=1
    )

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""
        from input_iba.evaluation.regions import region_of

        def score(case: ScoredSample) -> Row | str:
            region = region_of(case)
            if isinstance(region, str):
                return region
            found = localise(case.heat[None], region[None], **vars(self))
            return {key: getattr(found, key).item() for key in self.higher_is_better}

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the share of the samples that reaches each value."""
        from input_iba.drawing import Chart, share_line

        lines = [
            share_line(label, [row[key] for row in rows])
            for label, key in (("mass in the region", "mass"), ("intersection over union", "iou"))
        ]
        hits = sum(row["hit"] for row in rows) / len(rows)
        title = f"Localisation of {len(rows)} samples; pointing game {hits:.1%}"
        return Chart(title, "value, higher is better", "share of samples at least so high", lines)
