"""What sanity checks compare: the similarity of two maps, and maps that ignore the classifier."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.errors import EvaluationError

SIGMA = 1.5
"""Deviation of the window in pixels."""

STABILITY = (0.01**2, 0.03**2)
"""C₁ and C₂ for maps in [0, 1], which keep flat parts from dividing by nothing."""


def unit_range(maps: Tensor) -> Tensor:
    """Scale every map (..., H, W) from 0 to 1, in float64; 0 all over where it has one value."""
    values = maps.double()
    low, high = values.amin((-2, -1), keepdim=True), values.amax((-2, -1), keepdim=True)
    return torch.where(high > low, (values - low) / (high - low), 0)


def structural_similarity(first: Tensor, second: Tensor, window: int = 11) -> Tensor:
    """Compare maps by their means, deviations and covariance around every pixel.

    Around a pixel counts what a Gaussian window of deviation 1.5 weighs; pixels so near the border
    that the window would leave the map are no centres.

    Maps are (..., H, W), in [0, 1], with leading dimensions that are broadcast; the window has an
    odd number of pixels per side. The mean over the centres, (...), float64, is 1 for equal maps.

    Raises:
        EvaluationError: Sizes differ, or the window is even or larger than the maps.

    References:
        Wang et al. 2004, "Image quality assessment: from error visibility to structural
        similarity", equation 13.

    >>> heat = torch.rand(12, 12)
    >>> structural_similarity(heat, heat).round(decimals=6)
    tensor(1., dtype=torch.float64)
    """
    size = tuple(first.shape[-2:])
    if tuple(second.shape[-2:]) != size:
        raise EvaluationError(
            f"Maps of one size can be compared; got {size} and {tuple(second.shape[-2:])}. Resize "
            "one of them."
        )
    if window < 1 or window % 2 == 0 or window > min(size):
        raise EvaluationError(
            f"A window is an odd number of pixels, at most {min(size)} for maps of "
            f"{size[0]}×{size[1]}; got {window!r}."
        )
    x, y = first.double(), second.double()
    mean_x, mean_y, square_x, square_y, product = (
        _smooth(values, window) for values in (x, y, x * x, y * y, x * y)
    )
    variances = square_x - mean_x**2 + square_y - mean_y**2
    covariance = product - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + STABILITY[0]) / (mean_x**2 + mean_y**2 + STABILITY[0])
    structure = (2 * covariance + STABILITY[1]) / (variances + STABILITY[1])
    return (luminance * structure).mean((-2, -1))


def _smooth(values: Tensor, window: int) -> Tensor:
    """Return Gaussian means around every centre, (..., H − window + 1, W − window + 1)."""
    offsets = torch.arange(window, device=values.device, dtype=values.dtype) - window // 2
    kernel = torch.exp(-0.5 * (offsets / SIGMA).square())
    kernel = kernel / kernel.sum()
    planes = values.reshape(-1, 1, *values.shape[-2:])
    planes = F.conv2d(F.conv2d(planes, kernel[None, None, :, None]), kernel[None, None, None])
    return planes.reshape(*values.shape[:-2], *planes.shape[-2:])


def edge_map(inputs: Tensor) -> Tensor:
    """Return how steep the image is at every pixel: the length of Sobel's gradient.

    It looks like an explanation, since classifiers look at outlines too, and depends on no weight.
    Channels of inputs (S, C, H, W) are averaged, the border is repeated; maps are (S, H, W).

    >>> steps = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(1, 1, 3, 4)
    >>> edge_map(steps)[0, 1].tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    smooth, slope = inputs.new_tensor([1, 2, 1]) / 4, inputs.new_tensor([-1, 0, 1])
    across = torch.outer(smooth, slope)
    kernels = torch.stack([across, across.T])[:, None]
    padded = F.pad(inputs.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    slopes = F.conv2d(padded, kernels)
    return slopes.square().sum(1).sqrt()
