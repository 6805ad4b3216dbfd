"""The metrics written down literally: one map, one step and one pixel at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[np.float64]


def trapezoid(values: list[float], positions: list[float]) -> float:
    area = 0.0
    for i in range(1, len(values)):
        area += (positions[i] - positions[i - 1]) * (values[i] + values[i - 1]) / 2
    return area


def quantile(values: list[float], tenths: int) -> float:
    """Return the quantile tenths/10 by linear interpolation between the two nearest values."""
    ordered = sorted(values)
    whole, rest = divmod(tenths * (len(ordered) - 1), 10)
    if rest == 0:
        return ordered[whole]
    return ordered[whole] + rest / 10 * (ordered[whole + 1] - ordered[whole])


def ehr(
    heat: Array, region: NDArray[Any], base_threshold: float, weighted: bool
) -> tuple[float, list[float]]:
    kept = [
        (float(value), bool(inside))
        for value, inside in zip(heat.flatten(), region.flatten(), strict=True)
        if value >= base_threshold
    ]
    ratios = []
    for tenths in range(11):
        if not kept:
            ratios.append(0.0)
            continue
        values = [value for value, _ in kept]
        threshold = min(quantile(values, tenths), 0.99 * max(values))
        points, good = 0, 0.0
        for value, inside in kept:
            if value >= threshold:
                points += 1
                if inside:
                    good += value if weighted else 1.0
        ratios.append(good / points)
    return trapezoid(ratios, [k / 10 for k in range(11)]), ratios


def by_heat(heat: Array) -> list[tuple[int, int]]:
    """Return pixels in the order of heat; equal ones in reading order."""
    height, width = heat.shape
    pixels = [(row, column) for row in range(height) for column in range(width)]
    return sorted(pixels, key=lambda pixel: -heat[pixel])


def blur(x: Array, sigma: float) -> Array:
    return np.stack([gaussian_filter(c, sigma, mode="mirror", truncate=2) for c in x])


def insertion_deletion(
    probability: Callable[[Array], float], x: Array, heat: Array, pixels_a_step: int, sigma: float
) -> dict[str, tuple[list[float], float]]:
    order = by_heat(heat)
    found = {}
    for name, start, end in (("ins", blur(x, sigma), x), ("del", x, np.zeros_like(x))):
        current = start.copy()
        scores, shares = [probability(current)], [0.0]
        for first in range(0, len(order), pixels_a_step):
            for row, column in order[first : first + pixels_a_step]:
                current[:, row, column] = end[:, row, column]
            scores.append(probability(current))
            shares.append(min(first + pixels_a_step, len(order)) / len(order))
        found[name] = (scores, trapezoid(scores, shares))
    return found
