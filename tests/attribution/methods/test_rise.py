"""RISE against a slow, literal re-implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from input_iba.attribution.methods import MethodAttributor, Rise
from input_iba.core.noise import NoiseSource
from input_iba.errors import ConfigError
from input_iba.records import Explanation
from tests.attribution.methods.settings import samples
from tests.attribution.nets import small_net


def literal_mask(
    kept: NDArray[np.float64], down: int, right: int, height: int, width: int
) -> NDArray[np.float64]:
    """Enlarge bilinearly, value by value, and crop."""
    cells = len(kept)
    cell_h, cell_w = math.ceil(height / cells), math.ceil(width / cells)
    mask = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            # Centre of the pixel in cells, held inside the first and last centre.
            y = min(max((i + down + 0.5) * cells / ((cells + 1) * cell_h) - 0.5, 0), cells - 1)
            x = min(max((j + right + 0.5) * cells / ((cells + 1) * cell_w) - 0.5, 0), cells - 1)
            top, left = int(y), int(x)
            bottom, end = min(top + 1, cells - 1), min(left + 1, cells - 1)
            a, b = y - top, x - left
            upper = (1 - b) * kept[top, left] + b * kept[top, end]
            lower = (1 - b) * kept[bottom, left] + b * kept[bottom, end]
            mask[i, j] = (1 - a) * upper + a * lower
    return mask


@pytest.mark.parametrize(("cells", "keep", "rows"), [(3, 0.5, 4), (4, 0.3, 100)])
def test_rise_is_the_literal_one(cells: int, keep: float, rows: int) -> None:
    net, x = small_net().eval(), samples(2)
    method = Rise(n_masks=15, cells=cells, keep=keep)
    found = MethodAttributor(net, method).attribute(
        x, [0, 2], ids=["a", "b"], seed=7, internal_batch_size=rows
    )
    for i, label in enumerate([0, 2]):
        noise = NoiseSource(["ab"[i]], 7, "rise", dtype=torch.float64)
        kept = (noise.uniform(0, 1, 15, cells, cells)[0] < keep).double().numpy()
        shifts = noise.uniform(0, 1, 15, 2)[0].numpy()
        cell = math.ceil(8 / cells)
        total = np.zeros((8, 8))
        for grid, (down, right) in zip(kept, shifts, strict=True):
            shift = (int(down * (cell + 1)), int(right * (cell + 1)))
            mask = literal_mask(grid, *shift, 8, 8)
            score = net(x[i : i + 1] * torch.from_numpy(mask)).softmax(1)[0, label].item()
            total += score * mask
        record = found[i]
        assert isinstance(record, Explanation)
        expected = total / (15 * keep)
        np.testing.assert_allclose(record.input_mask * record.peak, expected, rtol=1e-6)


@pytest.mark.parametrize("settings", [{"keep": 0.0}, {"keep": 1.0}, {"cells": 0}, {"n_masks": 0}])
def test_settings_that_cannot_be_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Rise(**settings)  # type: ignore[arg-type]
