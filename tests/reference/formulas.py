"""Formulas of docs/METHOD.md, sections 1, 2 and 4: statistics, smoothing, capacities, saliency."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

LARGEST_LAMBDA = 1 - 1e-6


def statistics(outputs: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean, deviation (n − 1) and share of non-zeros per element (docs/METHOD.md §1).

    Args:
        outputs: One layer output per sample of the estimation set, all of one shape.
    """
    count = len(outputs)
    mean = torch.zeros_like(outputs[0])
    for output in outputs:
        mean = mean + output / count
    variance = torch.zeros_like(mean)
    nonzero = torch.zeros_like(mean)
    for output in outputs:
        variance = variance + (output - mean) ** 2 / (count - 1)
        nonzero = nonzero + (output != 0).to(mean.dtype) / count
    return mean, variance.sqrt(), nonzero


def reflected(index: int, size: int) -> int:
    """Return where an index outside a line of `size` points falls when its ends are mirrors.

    The end points are not repeated: …2 1 [0 1 2 … n−1] n−2…, with period 2(n − 1).
    """
    if size == 1:
        return 0
    period = 2 * (size - 1)
    index = index % period
    return index if index < size else period - index


def gaussian_smooth(mask: Tensor, sigma: float | None) -> Tensor:
    """Return smooth(mask) of a mask (C, h, w) (docs/METHOD.md §2).

    out(y, x) = Σ g(dy, dx) · mask(y + dy, x + dx), the mask reflected at its borders, with
    g = exp(−(dy² + dx²) / 2σ²), normalised, on a square of 2·round(2σ) + 1 points a side.
    """
    if not sigma:
        return mask
    radius = round(2 * sigma)
    height, width = mask.shape[-2:]
    offsets = range(-radius, radius + 1)
    weights = {
        (dy, dx): math.exp(-(dy**2 + dx**2) / (2 * sigma**2)) for dy in offsets for dx in offsets
    }
    total = sum(weights.values())
    smooth = torch.zeros_like(mask)
    for (dy, dx), weight in weights.items():
        rows = [reflected(y + dy, height) for y in range(height)]
        columns = [reflected(x + dx, width) for x in range(width)]
        smooth = smooth + weight / total * mask[:, rows][:, :, columns]
    return smooth


def feature_capacity(features: Tensor, lambda_: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return KL[N(λR + (1−λ)μ, (1−λ)²s²) ‖ N(μ, s²)] in nats (docs/METHOD.md §2; IBA)."""
    shift = lambda_ * (features - mean) / std
    return -0.5 * (1 + torch.log((1 - lambda_) ** 2) - shift**2 - (1 - lambda_) ** 2)


def input_capacity(
    x: Tensor,
    lambda_: Tensor,
    prior_lambda: Tensor,
    noise_mean: float | Tensor = 0.0,
    noise_std: float | Tensor = 1.0,
) -> Tensor:
    """Return the capacity of the input bottleneck in nats (docs/METHOD.md §4; InputIBA).

    With Π = λ_G Λ it is KL[N(Λx + (1−Λ)m, (1−Λ)²d²) ‖ N(Πx + (1−Π)m, (1−Π)²d²)]: the input
    masked by Λ against the input masked by both masks at once. It is 0 where λ_G = 1, and for
    λ_G = 0 the capacity of §2.
    """
    m, d = noise_mean, noise_std
    numerator = lambda_ * (x - m + prior_lambda * (m - x))
    mean_term = numerator / ((1 - prior_lambda * lambda_) * d)
    v = (1 - lambda_) ** 2 / (1 - prior_lambda * lambda_) ** 2
    return -0.5 * (1 + torch.log(v) - mean_term**2 - v)


def mask_of(alpha: Tensor, sigma: float | None) -> Tensor:
    """Return λ = smooth(σ(α)), kept below 1 (docs/METHOD.md §2 and 'Numerics')."""
    return gaussian_smooth(torch.sigmoid(alpha), sigma).clamp(0, LARGEST_LAMBDA)


def saliency(capacity: Tensor, height: int, width: int) -> Tensor:
    """Return bits per pixel (height, width) of a capacity (C, h, w) in nats (docs/METHOD.md §2).

    Bilinear, corners not aligned: pixel i reads the map at (i + ½)·h/H − ½, never below 0.
    """
    h, w = capacity.shape[-2:]
    bits = capacity.sum(0) / math.log(2) * (h * w) / (height * width)
    result = torch.zeros(height, width, dtype=capacity.dtype)
    for y in range(height):
        v = max((y + 0.5) * h / height - 0.5, 0)
        top, bottom = int(v), min(int(v) + 1, h - 1)
        for x in range(width):
            u = max((x + 0.5) * w / width - 0.5, 0)
            left, right = int(u), min(int(u) + 1, w - 1)
            upper = bits[top, left] * (1 - (u - left)) + bits[top, right] * (u - left)
            lower = bits[bottom, left] * (1 - (u - left)) + bits[bottom, right] * (u - left)
            result[y, x] = upper * (1 - (v - top)) + lower * (v - top)
    return result
