"""Smooth masks of few parameters, and local blur by a mask, for extremal perturbations."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.core.smoothing import gaussian_smooth

TEMPERATURE = 1 / 20
"""T of the smooth maximum: between the mean (large) and the maximum (0)."""

BEYOND = 3
"""Cells that masks have beyond every border, so that pixels there have as many neighbours as
others. Without them the smooth maximum is greatest in the corners, and masks often end there."""


def smooth_max(values: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return Σ f·exp(f/T) / Σ exp(f/T) over the last dimension.

    References:
        Fong et al. 2019 (arXiv 1910.08485), section 3.3.

    >>> smooth_max(torch.tensor([0.0, 1.0]), 1e-3).item()
    1.0
    """
    return (values * (values / temperature).softmax(-1)).sum(-1)


@lru_cache(maxsize=16)
def influence(
    cells: int, height: int, width: int, radius: float, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Return how far every parameter reaches to every position, k(‖u − v‖/σ).

    The kernel k(z) = exp(−max(0, z − 1)²/4) is flat up to σ and falls smoothly from there.

    Args:
        cells: Parameters per side, spread evenly over the map; `BEYOND` more on every side lie
            outside.
        height: Positions of the map from top to bottom.
        width: From left to right.
        radius: σ in distances between two parameters.
        device: Where to compute.
        dtype: Floating-point type of the result.

    Returns:
        (height·width, (cells + 2·BEYOND)²), in [0, 1].

    References:
        Fong et al. 2019 (arXiv 1910.08485), section 3.3.
    """
    # In cells: parameter i lies at i + ½, position j of n at (j + ½)·cells/n.
    centres = torch.arange(-BEYOND, cells + BEYOND, dtype=torch.float64) + 0.5
    down = (torch.arange(height, dtype=torch.float64) + 0.5) * cells / height
    across = (torch.arange(width, dtype=torch.float64) + 0.5) * cells / width
    rows = (down[:, None] - centres).square()[:, None, :, None]
    columns = (across[:, None] - centres).square()[None, :, None, :]
    z = (rows + columns).sqrt().reshape(height * width, len(centres) ** 2) / radius
    kernel = (-((z - 1).clamp_min(0).square() / 4)).exp()
    return kernel.to(device=device, dtype=dtype)


def smooth_masks(parameters: Tensor, height: int, width: int, radius: float, every: int) -> Tensor:
    """Enlarge coarse masks by a smooth maximum of their parameters' reaches.

    Args:
        parameters: (n, s, s), in [0, 1]; s is the number of cells per side + 2·BEYOND.
        height: H in pixels.
        width: W in pixels.
        radius: σ of the kernel, in cells.
        every: The maximum is computed for every so many pixels and enlarged bilinearly.

    Returns:
        (n, H, W), in [0, 1].
    """
    rows, columns = -(-height // every), -(-width // every)
    cells = parameters.shape[-1] - 2 * BEYOND
    reach = influence(cells, rows, columns, radius, parameters.device, parameters.dtype)
    coarse = smooth_max(reach * parameters.flatten(1)[:, None])
    coarse = coarse.reshape(-1, rows, columns)
    if (rows, columns) == (height, width):
        return coarse
    size = (height, width)
    return F.interpolate(coarse[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def blur_levels(inputs: Tensor, levels: int, largest: float) -> Tensor:
    """Blur inputs (S, C, H, W) by `levels` deviations, largest to none: (S, levels, C, H, W)."""
    steps = [largest * (1 - level / (levels - 1)) for level in range(levels)]
    return torch.stack([gaussian_smooth(inputs, sigma) for sigma in steps], 1)


def blurred_by(masks: Tensor, levels: Tensor) -> Tensor:
    """Blur every pixel the more, the less its mask lets through.

    Args:
        masks: (n, H, W), in [0, 1]: 1 keeps, 0 blurs most.
        levels: What `blur_levels` returns, one per mask, (n, L, C, H, W).

    Returns:
        (n, C, H, W), linear between neighbouring levels.
    """
    last = levels.shape[1] - 1
    position = masks * last
    below = position.detach().floor().clamp(max=last - 1)
    index = below.long()[:, None, None].expand(-1, 1, levels.shape[2], -1, -1)
    low, high = levels.gather(1, index)[:, 0], levels.gather(1, index + 1)[:, 0]
    return low + (position - below)[:, None] * (high - low)
