"""Tetrominoes: what is drawn equals the formula, its region is exact, and the seed decides."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import Tensor

from input_iba.datasets import Tetrominoes, build_dataset
from input_iba.errors import ConfigError

T, L = {(0, 0), (0, 1), (0, 2), (1, 1)}, {(0, 0), (1, 0), (2, 0), (2, 1)}


def made(**keys: Any) -> Tetrominoes:
    dataset = build_dataset({"type": "Tetrominoes", **keys})
    assert isinstance(dataset, Tetrominoes)
    return dataset


def cells_of(region: Tensor, cell: int) -> set[tuple[int, int]]:
    """Return the cells of a region, from its own corner, each of which it fills."""
    rows, columns = torch.nonzero(region, as_tuple=True)
    top, left = int(rows.min()), int(columns.min())
    found = {
        ((row - top) // cell, (column - left) // cell)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    }
    assert len(rows) == len(found) * cell**2
    return found


def turned(cells: set[tuple[int, int]]) -> list[set[tuple[int, int]]]:
    """Return a tetromino and its turns by one to three quarters."""
    turns = [cells]
    for _ in range(3):
        height = 1 + max(row for row, _ in turns[-1])
        turns.append({(column, height - 1 - row) for row, column in turns[-1]})
    return turns


def test_fixed_places_show_one_and_know_both() -> None:
    dataset = made(n=4, size=32, cell=4, alpha=1)
    shown = [dataset[i].image[0] > 128 for i in range(4)]
    assert cells_of(shown[0], 4) == T
    assert cells_of(shown[1], 4) == L
    assert torch.nonzero(shown[0]).min(0).values.tolist() == [4, 4]
    assert torch.nonzero(shown[1]).max(0).values.tolist() == [27, 27]
    both = shown[0] | shown[1]
    for i in range(4):
        assert torch.equal(shown[i], shown[i % 2])
        region = dataset[i].region
        assert region is not None
        assert torch.equal(region, both)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(1, 3))
def test_random_places_are_turned_tetrominoes_within_the_image(seed: int, cell: int) -> None:
    dataset = made(n=2, size=12, cell=cell, places="random", seed=seed, alpha=1)
    for i, cells in enumerate((T, L)):
        sample = dataset[i]
        assert sample.target == i
        assert sample.region is not None
        assert torch.equal(sample.image[0] > 128, sample.region)
        assert cells_of(sample.region, cell) in turned(cells)


def test_every_place_and_turn_is_drawn() -> None:
    dataset = made(n=1600, size=5, cell=1, places="random")
    for label in range(2):
        places = {str(dataset.region(i)) for i in range(label, 1600, 2)}
        assert len(places) == 4 * (3 * 4)  # turns, and corners of a box of 3×2 pixels in 5×5


@pytest.mark.parametrize(("alpha", "smoothing"), list(product((0.2, 0.7), (0, 2.0))))
def test_an_image_is_the_sum_of_signal_and_noise(alpha: float, smoothing: float) -> None:
    sample = made(n=3, size=16, cell=2, alpha=alpha, smoothing=smoothing, seed=5)[1]
    signal = np.zeros((16, 16))
    signal[8:14, 10:12] = 1
    signal[12:14, 12:14] = 1
    noise = np.random.default_rng((5, 1)).standard_normal((16, 16))
    if smoothing:
        noise = gaussian_filter(noise, smoothing, mode="wrap")
    scale = [np.sqrt((array**2).sum()) for array in (signal, noise)]
    values = alpha * signal / scale[0] + (1 - alpha) * noise / scale[1]
    expected = 127.5 * (1 + values / np.abs(values).max())
    for channel in sample.image.numpy():
        assert np.abs(channel - expected).max() <= 0.5 + 1e-9


def test_noise_alone_is_a_class_without_a_region() -> None:
    for places in ("fixed", "random"):
        dataset = made(n=6, size=32, alpha=1, places=places, empty=True)
        assert dataset.class_names == ["T", "L", "none"]
        assert [dataset.target(i) for i in range(6)] == [0, 1, 2, 0, 1, 2]
        assert [dataset[i].region is None for i in range(6)] == [False, False, True] * 2


def test_the_seed_decides_and_a_longer_set_begins_alike() -> None:
    first, again, longer = (made(n=n, places="random") for n in (5, 5, 9))
    other = made(n=5, places="random", seed=1)
    assert first.fingerprint() == again.fingerprint()
    assert len({first.fingerprint(), longer.fingerprint(), other.fingerprint()}) == 3
    for i in range(5):
        assert torch.equal(first[i].input, longer[i].input)
        assert not torch.equal(first[i].input, other[i].input)
    assert torch.equal(first[-1].input, first[4].input)


def test_only_random_places_may_be_shifted() -> None:
    assert not made().movable
    assert made(places="random").movable


def test_the_region_follows_the_pipeline() -> None:
    plain, large = made(n=2, size=16, cell=2), [{"type": "Resize", "height": 32, "width": 48}]
    padded = [{"type": "PadIfNeeded", "min_height": 20, "min_width": 18, "value": 255}]
    flipped = [{"type": "HorizontalFlip", "always_apply": True}]
    for i in range(2):
        region = plain[i].region
        assert region is not None
        found = [made(n=2, size=16, cell=2, pipeline=p)[i].region for p in (large, padded, flipped)]
        expected = [
            region.repeat_interleave(2, 0).repeat_interleave(3, 1),
            torch.nn.functional.pad(region, (1, 1, 2, 2)),
            region.flip(1),
        ]
        for one, other in zip(found, expected, strict=True):
            assert one is not None
            assert torch.equal(one, other)


def test_the_region_follows_what_is_drawn_at_random() -> None:
    crop = [{"type": "RandomResizedCrop", "height": 64, "width": 64, "scale": [0.5, 0.9]}]
    dataset = made(n=20, size=64, places="random", alpha=1, pipeline=crop)
    whole = 0
    for i in range(20):
        sample = dataset[i]
        assert sample.region is not None
        if int(sample.region.sum()) > 60:  # not cut off by the crop
            seen, known = torch.nonzero(sample.image[0] > 191), torch.nonzero(sample.region)
            assert (
                seen.double().mean(0) - known.double().mean(0)
            ).abs().max() <= 1  # nearest pixels are taken
            whole += 1
    assert whole > 5


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"n": 0}, "n ≥ 1"),
        ({"seed": -1}, "seed ≥ 0"),
        ({"alpha": 0}, "0 < alpha ≤ 1"),
        ({"smoothing": -1}, "smoothing ≥ 0"),
        ({"places": "rondom"}, "one of fixed, random; got 'rondom'. Closest: 'random'"),
        ({"size": 27}, "`size` of at least 28; got 27"),
        ({"size": 11, "places": "random"}, "`size` of at least 12; got 11"),
        ({"cell": 0}, "cells of 0 pixels"),
    ],
)
def test_what_cannot_be_drawn(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        made(**keys)
