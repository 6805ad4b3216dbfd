"""Gaussian smoothing of masks, as a pair of small matrices."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def gaussian_matrix(size: int, sigma: float, radius: int | None = None) -> Tensor:
    """Return the matrix (n, n) that smooths a line of `size` values, float64, rows sum to 1.

    The kernel reaches `radius` to each side, 2σ (rounded to whole pixels) by default. Values
    beyond an end are the line's own, mirrored without repeating the end, as often as a short line
    needs it.

    >>> gaussian_matrix(1, 1.0)
    tensor([[1.]], dtype=torch.float64)
    """
    radius = round(2 * sigma) if radius is None else radius
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-0.5 * (offsets.double() / sigma).square())
    kernel = kernel / kernel.sum()
    position = torch.arange(size)[:, None] + offsets[None, :]
    period = max(2 * (size - 1), 1)
    position = position % period
    position = torch.where(position >= size, period - position, position)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    return matrix.scatter_add_(1, position, kernel.expand(size, -1))


@lru_cache(maxsize=32)
def _cached_matrix(
    size: int, sigma: float, radius: int | None, device: torch.device, dtype: torch.dtype
) -> Tensor:
    return gaussian_matrix(size, sigma, radius).to(device=device, dtype=dtype)


def gaussian_smooth(mask: Tensor, sigma: float, radius: int | None = None) -> Tensor:
    """Smooth masks (..., h, w) with a Gaussian, reflecting at the border; any size down to 1×1.

    Sigma is in pixels, and 0 leaves the mask as it is. The kernel reaches `radius` pixels to each
    side; None for round(2σ).
    """
    if sigma <= 0:
        return mask
    rows = _cached_matrix(mask.shape[-2], sigma, radius, mask.device, mask.dtype)
    columns = _cached_matrix(mask.shape[-1], sigma, radius, mask.device, mask.dtype)
    return rows @ mask @ columns.mT
