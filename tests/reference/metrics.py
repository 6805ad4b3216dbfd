"""Formulas of metrics on images, written down literally: one pixel, patch or map at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def imputed(image: Array, removed: NDArray[Any]) -> Array:
    """Set every removed pixel to its neighbours' weighted mean until none changes any more.

    Rong et al. 2022: weights are 1/6 for direct and 1/12 for diagonal neighbours; those outside the
    image have none.
    """
    found = np.where(removed, 0.0, image)
    height, width = removed.shape
    changed = 1.0
    while changed > 1e-12:
        changed = 0.0
        for row, column in np.argwhere(removed):
            total, weights = np.zeros(len(image)), 0.0
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    r, c = row + down, column + right
                    if (down or right) and 0 <= r < height and 0 <= c < width:
                        weight = 1 / 12 if down and right else 1 / 6
                        total += weight * found[:, r, c]
                        weights += weight
            changed = max(changed, np.abs(found[:, row, column] - total / weights).max())
            found[:, row, column] = total / weights
    return found


def road(
    probability: Callable[[Array], float], image: Array, noise: Array, heat: Array, share: float
) -> tuple[float, float]:
    """Return the probability with the hottest and with the coldest pixels imputed; no heat ties."""
    ordered = sorted(np.ndindex(heat.shape), key=lambda pixel: -heat[pixel])
    count, scores = round(share * len(ordered)), []
    for first in (ordered, ordered[::-1]):
        removed = np.zeros(heat.shape, dtype=bool)
        for pixel in first[:count]:
            removed[pixel] = True
        scores.append(probability(imputed(image, removed) + noise * removed))
    return scores[0], scores[1]


def single_deletion(
    logit: Callable[[Array], float], image: Array, heat: Array, patches: int
) -> tuple[list[float], list[float]]:
    """Return each patch's heat, and what the logit loses without it (Hesse et al. 2024)."""
    height, width = heat.shape
    sums, drops = [], []
    for i in range(patches):
        for j in range(patches):
            without, total = image.copy(), 0.0
            for row, column in np.ndindex(heat.shape):
                if (row * patches // height, column * patches // width) == (i, j):
                    without[:, row, column] = 0
                    total += heat[row, column]
            sums.append(total)
            drops.append(logit(image) - logit(without))
    return sums, drops


def best_iou(heat: Array, region: NDArray[Any]) -> float:
    """Return the best overlap of the region with the pixels from some value above 0 on."""
    found = [0.0]
    for threshold in heat[heat > 0]:
        hot = heat >= threshold
        found.append((hot & region).sum() / (hot | region).sum())
    return max(found)


def max_sensitivity(
    explain: Callable[[Array], Array], image: Array, changed: Sequence[Array]
) -> float:
    """Return the largest relative change of the map over changed images (Yeh et al. 2019)."""
    before, most = explain(image), 0.0
    for other in changed:
        moved = sum(float(value) ** 2 for value in (explain(other) - before).flatten())
        length = sum(float(value) ** 2 for value in before.flatten())
        most = max(most, (moved / length) ** 0.5)
    return most
