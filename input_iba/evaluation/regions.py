"""Regions of interest: boxes as masks, and how much of the image they cover."""

from __future__ import annotations

import torch
from torch import Tensor

from input_iba.core.maps import REMEDY, in_shares
from input_iba.errors import EvaluationError
from input_iba.evaluation.base import ScoredSample

MAX_REGION_SHARE = 0.33
"""Samples whose region covers more of the image are skipped: any map would do well there."""


def box_mask(boxes: Tensor, height: int, width: int) -> Tensor:
    """Return which pixels lie in at least one box, (H, W), bool.

    A pixel belongs to a box when its centre does; a box between two centres keeps one pixel per
    side, and what reaches beyond the image is cut.

    Args:
        boxes: (n, 4) or (4,): x1, y1, x2, y2 in pixels, 0 at the image's left and top edge, so
            that whole numbers cover the pixels x1 to x2 − 1.
        height: H, of the image.
        width: W.

    Raises:
        EvaluationError: No box, not four finite numbers, an inverted box, or one in shares of the
            image, 0 to 1.

    >>> box_mask(torch.tensor([1, 0, 3, 1]), 2, 4).int()
    tensor([[0, 1, 1, 0],
            [0, 0, 0, 0]], dtype=torch.int32)
    """
    corners = boxes.detach().double().reshape(-1, 4) if boxes.shape[-1:] == (4,) else None
    if corners is None or len(corners) == 0 or not bool(corners.isfinite().all()):
        raise EvaluationError(
            f"Expected one or more boxes of four finite numbers x1, y1, x2, y2; got shape "
            f"{tuple(boxes.shape)}."
        )
    if bool((corners[:, 2:] < corners[:, :2]).any()):
        raise EvaluationError(
            f"Expected boxes with x1 ≤ x2 and y1 ≤ y2; got {corners.tolist()}. Corners are given "
            "as x1, y1, x2, y2, not as a corner with width and height."
        )
    shares = in_shares(corners, width, height)
    if bool(shares.any()):
        raise EvaluationError(
            f"Expected boxes in pixels of an image of {width}×{height}; got "
            f"{corners[shares][0].tolist()}, which is in shares of it, 0 to 1. {REMEDY}"
        )
    columns = _between(corners[:, 0], corners[:, 2], width)
    rows = _between(corners[:, 1], corners[:, 3], height)
    return (rows[:, :, None] & columns[:, None, :]).any(0)


def _between(low: Tensor, high: Tensor, size: int) -> Tensor:
    """Return which of `size` pixels lie between the ends, (n, size), at least one each."""
    first = (low - 0.5).ceil().clamp(0, size - 1)
    last = torch.maximum((high - 0.5).ceil(), first + 1)
    position = torch.arange(size, device=low.device)
    return (position >= first[:, None]) & (position < last[:, None])


def region_share(regions: Tensor) -> Tensor:
    """Return the share of the image that each region (..., H, W) covers, (...), float64."""
    return (regions != 0).double().mean((-2, -1))


def region_of(case: ScoredSample) -> Tensor | str:
    """Return the pixels that decide a sample's class, or else those of its boxes.

    Returns:
        (H, W), bool, or why there is none to use.
    """
    known = getattr(case.sample, "region", None)
    if known is not None:
        return small_enough(known.cpu())
    boxes = getattr(case.sample, "boxes", None)
    if boxes is None or len(boxes) == 0:
        return "no boxes"
    height, width = case.heat.shape
    return small_enough(box_mask(boxes.cpu(), height, width))


def small_enough(region: Tensor) -> Tensor | str:
    """Return a region (H, W), or why it cannot tell good maps from bad ones."""
    if not bool((region != 0).any()):
        return "empty region"
    if float(region_share(region)) > MAX_REGION_SHARE:
        return f"region above {MAX_REGION_SHARE:.0%} of the picture"
    return region
