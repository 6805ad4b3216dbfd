"""The metrics written down literally: one map, one step and one pixel at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from input_iba.evaluation.ranks import TIE_SEED

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
    """Return pixels in the order of heat; equal ones in the order of a draw for each."""
    height, width = heat.shape
    pixels = [(row, column) for row in range(height) for column in range(width)]
    draws = dict(zip(pixels, np.random.default_rng(TIE_SEED).random(len(pixels)), strict=True))
    return sorted(pixels, key=lambda pixel: (-heat[pixel], draws[pixel]))


def blur(x: Array, sigma: float, radius: int | None = None) -> Array:
    reach = round(2 * sigma) if radius is None else radius
    return np.stack([gaussian_filter(c, sigma, mode="mirror", radius=reach) for c in x])


def insertion_deletion(
    probability: Callable[[Array], float],
    x: Array,
    heat: Array,
    pixels_a_step: int,
    sigma: float,
    radius: int | None = None,
) -> dict[str, tuple[list[float], float]]:
    order = [[pixel] for pixel in by_heat(heat)]
    return followed(probability, x, blur(x, sigma, radius), order, pixels_a_step)


def patch_insertion_deletion(
    probability: Callable[[Array], float],
    x: Array,
    heat: Array,
    patch: int,
    patches_a_step: int,
    sigma: float,
) -> dict[str, tuple[list[float], float]]:
    """Change whole patches, of whose heat no two have the same."""
    patches: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row, column in np.ndindex(heat.shape):
        patches.setdefault((row // patch, column // patch), []).append((row, column))
    order = sorted(patches.values(), key=lambda pixels: -sum(heat[pixel] for pixel in pixels))
    return followed(probability, x, blur(x, sigma), order, patches_a_step)


def followed(
    probability: Callable[[Array], float],
    x: Array,
    blurred: Array,
    order: list[list[tuple[int, int]]],
    together: int,
) -> dict[str, tuple[list[float], float]]:
    found = {}
    for name, start, end in (("ins", blurred, x), ("del", x, np.zeros_like(x))):
        current = start.copy()
        scores, shares = [probability(current)], [0.0]
        for first in range(0, len(order), together):
            for pixels in order[first : first + together]:
                for row, column in pixels:
                    current[:, row, column] = end[:, row, column]
            scores.append(probability(current))
            shares.append(min(first + together, len(order)) / len(order))
        found[name] = (scores, trapezoid(scores, shares))
    return found


def pearson(first: list[float], second: list[float]) -> float:
    n = len(first)
    mean_a, mean_b = sum(first) / n, sum(second) / n
    product = sum((a - mean_a) * (b - mean_b) for a, b in zip(first, second, strict=True))
    square_a = sum((a - mean_a) ** 2 for a in first)
    square_b = sum((b - mean_b) ** 2 for b in second)
    if square_a == 0 or square_b == 0:
        return 0.0
    return float(product / math.sqrt(square_a * square_b))


def sensitivity_n(
    logit: Callable[[Array], float], x: Array, heat: Array, sets: NDArray[Any]
) -> tuple[float, list[float], list[float]]:
    sums, drops = [], []
    for chosen in sets:
        without, total = x.copy(), 0.0
        for row in range(heat.shape[0]):
            for column in range(heat.shape[1]):
                if chosen[row, column]:
                    total += float(heat[row, column])
                    without[:, row, column] = 0
        sums.append(total)
        drops.append(logit(x) - logit(without))
    return pearson(sums, drops), sums, drops


def degradation(
    probability: Callable[[Array], float], x: Array, heat: Array, tile: tuple[int, int]
) -> dict[str, tuple[list[float], float]]:
    height, width = heat.shape
    corners = [(r, c) for r in range(0, height, tile[0]) for c in range(0, width, tile[1])]

    def relevance(corner: tuple[int, int]) -> float:
        total = 0.0
        for row in range(corner[0], min(corner[0] + tile[0], height)):
            for column in range(corner[1], min(corner[1] + tile[1], width)):
                total += float(heat[row, column])
        return total

    found = {}
    for name, sign in (("MoRF", -1), ("LeRF", 1)):
        current = x.copy()
        scores = [probability(current)]
        draws = dict(
            zip(corners, np.random.default_rng(TIE_SEED).random(len(corners)), strict=True)
        )
        order = sorted(corners, key=lambda c: (sign * relevance(c), draws[c]))
        for row, column in order:
            current[:, row : row + tile[0], column : column + tile[1]] = 0
            scores.append(probability(current))
        found[name] = (scores, trapezoid(scores, [k / len(corners) for k in range(len(scores))]))
    return found


def pointing_game(heat: Array, region: NDArray[Any], tolerance: float) -> float:
    inside = [tuple(pixel) for pixel in np.argwhere(region)]
    hottest = [tuple(pixel) for pixel in np.argwhere(heat == heat.max())]
    hits = [
        any(math.dist(point, pixel) <= tolerance + 1e-9 for pixel in inside) for point in hottest
    ]
    return sum(hits) / len(hits)


def mass_inside(heat: Array, region: NDArray[Any]) -> float:
    pairs = list(zip(heat.flatten(), region.flatten(), strict=True))
    total = sum(max(float(value), 0.0) for value, _ in pairs)
    return sum(max(float(value), 0.0) for value, inside in pairs if inside) / total if total else 0


def region_iou(heat: Array, region: NDArray[Any], threshold: float) -> float:
    both = either = 0
    for value, inside in zip(heat.flatten(), region.flatten(), strict=True):
        hot = heat.max() > 0 and value >= threshold * heat.max()
        both += bool(hot and inside)
        either += bool(hot or inside)
    return both / either


def top_inside(heat: Array, region: NDArray[Any], k: int) -> float:
    last = heat[by_heat(heat)[k - 1]]
    above = [bool(region[pixel]) for pixel in by_heat(heat) if heat[pixel] > last]
    tied = [bool(region[pixel]) for pixel in by_heat(heat) if heat[pixel] == last]
    return (sum(above) + (k - len(above)) * sum(tied) / len(tied)) / k


def ssim(first: Array, second: Array, window: int) -> float:
    reach = window // 2
    weights = np.array(
        [
            [math.exp(-(r * r + c * c) / (2 * 1.5**2)) for c in range(-reach, reach + 1)]
            for r in range(-reach, reach + 1)
        ]
    )
    weights /= weights.sum()
    values = []
    for row in range(reach, first.shape[0] - reach):
        for column in range(reach, first.shape[1] - reach):
            around = np.s_[row - reach : row + reach + 1, column - reach : column + reach + 1]
            x, y = first[around], second[around]
            mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
            var_x = (weights * (x - mean_x) ** 2).sum()
            var_y = (weights * (y - mean_y) ** 2).sum()
            covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
            values.append(
                (2 * mean_x * mean_y + 1e-4)
                * (2 * covariance + 9e-4)
                / ((mean_x**2 + mean_y**2 + 1e-4) * (var_x + var_y + 9e-4))
            )
    return float(np.mean(values))
