"""Maps and boxes of any tool as tensors, and what every metric asks of them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from input_iba.errors import EvaluationError


def as_map(heat: ArrayLike | Tensor) -> Tensor:
    """Return a copy of a map (H, W) as a tensor, float64, on the CPU; the caller's stays as it is.

    Raises:
        EvaluationError: The map has another number of dimensions than two.
    """
    values = heat.detach().cpu().double().numpy() if isinstance(heat, Tensor) else heat
    copied = torch.from_numpy(np.array(values, dtype=np.float64))
    if copied.ndim != 2:
        raise EvaluationError(
            f"A heat map is (H, W), one value per pixel; got shape {tuple(copied.shape)}. Take the "
            "mean or the sum over channels first."
        )
    return copied


def scale_to_peak(heats: Tensor) -> Tensor:
    """Divide maps (..., H, W) by their maxima, so that maps in any unit can be read as shares.

    A map without a value above 0 stays as it is. Dividing only where the maximum exceeds 1 would
    let the unit decide.

    >>> scale_to_peak(torch.tensor([[0.0, 0.25], [0.5, 0.0]]))
    tensor([[0.0000, 0.5000],
            [1.0000, 0.0000]])
    """
    highest = heats.amax((-2, -1), keepdim=True)
    return heats / torch.where(highest > 0, highest, 1)


def check_maps(heats: Tensor, size: tuple[int, ...]) -> None:
    """Refuse maps that cannot be scored: their shape must be `size`, (S, H, W).

    Raises:
        EvaluationError: Another shape, no values, or values that are not finite.
    """
    if tuple(heats.shape) != size:
        raise EvaluationError(
            f"Expected heat maps of shape {size}, one (H, W) per sample; got "
            f"{tuple(heats.shape)}. Resize the maps to the input."
        )
    if heats.numel() == 0:
        raise EvaluationError(f"Heat maps of shape {size} hold no values.")
    finite = heats.isfinite().flatten(1).all(1)
    if not bool(finite.all()):
        wrong = (~finite).nonzero().flatten().tolist()
        raise EvaluationError(
            f"The heat maps at {wrong} hold NaN or infinite values, which have no rank. Leave "
            "these samples out, or explain them again."
        )


REMEDY = "Multiply x by the image's width and y by its height."


def in_shares(boxes: Tensor, width: int, height: int) -> Tensor:
    """Return which boxes (n, 4) are meant as shares of the image, though they should be in pixels.

    Nothing that can be seen lies in a part of the first pixel. Whole numbers are that pixel.

    >>> in_shares(torch.tensor([[0.1, 0.2, 0.5, 1], [0, 0, 1, 1], [0.5, 0.5, 8, 9]]), 20, 20)
    tensor([ True, False, False])
    """
    within = ((boxes >= 0) & (boxes <= 1)).all(1)
    fractions = (boxes != boxes.round()).any(1)
    return within & fractions & (max(width, height) > 1)


def saturated(evidence: Tensor, saturation: float) -> Tensor:
    """Return s / (s + c) of evidence s, (S, …), not negative; c is `saturation` · Σs² / Σs.

    It grows with the evidence, and half as fast where evidence is usual among what has any.

    References:
        docs/METHOD.md, section 10.
    """
    rows = evidence.flatten(1)
    rows = rows / rows.amax(1, keepdim=True).clamp_min(1e-30)
    total, square = (each.sum(1, keepdim=True) for each in (rows, rows.square()))
    half = saturation * square / total.clamp_min(1e-30)
    return (rows / (rows + half).clamp_min(1e-30)).view_as(evidence)
