"""Gaussian smoothing of masks, as a pair of small matrices."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

LONGEST_MATRIX = 2048
"""Values of a line from which on a convolution needs less memory than a matrix."""


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
    kernel = _kernel(offsets, sigma)
    position = torch.arange(size)[:, None] + offsets[None, :]
    period = max(2 * (size - 1), 1)
    position = position % period
    position = torch.where(position >= size, period - position, position)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    return matrix.scatter_add_(1, position, kernel.expand(size, -1))


def _kernel(offsets: Tensor, sigma: float) -> Tensor:
    kernel = torch.exp(-0.5 * (offsets.double() / sigma).square())
    return kernel / kernel.sum()


@lru_cache(maxsize=32)
def _cached_matrix(
    size: int, sigma: float, radius: int | None, device: torch.device, dtype: torch.dtype
) -> Tensor:
    return gaussian_matrix(size, sigma, radius).to(device=device, dtype=dtype)


def gaussian_smooth(mask: Tensor, sigma: float, radius: int | None = None, dims: int = 2) -> Tensor:
    """Smooth the last `dims` dimensions of masks with a Gaussian, reflecting at the border.

    They may be of any size, down to 1. Sigma is in pixels, and 0 leaves the mask as it is. The
    kernel reaches `radius` pixels to each side; None for round(2σ).
    """
    if sigma <= 0:
        return mask
    for axis in range(-dims, -1):
        mask = _smooth_rows(mask.movedim(axis, -2), sigma, radius).movedim(-2, axis)
    return _smooth_lines(mask, sigma, radius)


def _smooth_rows(mask: Tensor, sigma: float, radius: int | None) -> Tensor:
    """Smooth along the last dimension but one."""
    if mask.shape[-2] > LONGEST_MATRIX:
        return _smooth_lines(mask.mT, sigma, radius).mT
    return _cached_matrix(mask.shape[-2], sigma, radius, mask.device, mask.dtype) @ mask


def _smooth_lines(mask: Tensor, sigma: float, radius: int | None) -> Tensor:
    """Smooth along the last dimension."""
    size, reach = mask.shape[-1], round(2 * sigma) if radius is None else radius
    if size <= LONGEST_MATRIX or reach >= size:
        return mask @ _cached_matrix(size, sigma, radius, mask.device, mask.dtype).mT
    kernel = _kernel(torch.arange(-reach, reach + 1), sigma).to(mask)
    lines = F.pad(mask.reshape(-1, 1, size), (reach, reach), mode="reflect")
    return F.conv1d(lines, kernel[None, None]).reshape(mask.shape)
