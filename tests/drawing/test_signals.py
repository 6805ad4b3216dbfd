"""Signals as coloured lines: hot where the mask is, whatever the length and the channels."""

from __future__ import annotations

import numpy as np
import pytest

from input_iba.drawing.signals import BINS, HEIGHT, MAX_CURVES, PER_CURVE, coloured_signal


def coloured(pixels: np.ndarray, columns: slice, channel: int) -> int:
    """Count the pixels in some columns in which red (0) or blue (2) is the strongest by far."""
    part = pixels[:, columns].astype(int)
    others = [part[..., i] for i in range(3) if i != channel]
    return int((part[..., channel] > np.maximum(*others) + 60).sum())


@pytest.mark.parametrize("length", [50, 300, 5 * BINS], ids=str)
def test_the_line_is_red_where_the_mask_is_hot(length: int) -> None:
    values, mask = np.sin(np.arange(length) * 40 / length)[None], np.zeros(length)
    mask[length // 2 : length // 2 + length // 10] = 1
    pixels = coloured_signal(values, mask)
    assert pixels.shape[2] == 3
    middle = slice(int(0.5 * pixels.shape[1]), int(0.6 * pixels.shape[1]))
    red = coloured(pixels, middle, 0)
    assert red > 50
    assert coloured(pixels, slice(0, int(0.45 * pixels.shape[1])), 0) < 0.05 * red
    assert coloured(pixels, slice(int(0.65 * pixels.shape[1]), None), 0) < 0.05 * red


def test_a_single_hot_value_of_a_long_signal_shows() -> None:
    mask = np.zeros(20 * BINS)
    mask[10 * BINS + 3] = 1
    assert coloured(coloured_signal(np.ones((1, len(mask))), mask), slice(None), 0) > 0


def test_what_speaks_against_the_target_is_blue() -> None:
    mask = np.repeat([-1.0, 1.0], 50)
    pixels = coloured_signal(np.zeros((1, 100)), mask)
    half = pixels.shape[1] // 2
    assert coloured(pixels, slice(0, half - 10), 2) > 50 > coloured(pixels, slice(0, half - 10), 0)
    assert coloured(pixels, slice(half + 10, None), 0) > 50


@pytest.mark.parametrize("channels", [1, 3, MAX_CURVES + 5])
def test_channels_stand_one_above_the_other_up_to_a_number(channels: int) -> None:
    pixels = coloured_signal(np.random.default_rng(0).normal(size=(channels, 40)), np.ones(40))
    drawn = min(channels, MAX_CURVES)
    assert pixels.shape[0] == pytest.approx(100 * (HEIGHT + PER_CURVE * drawn), abs=2)


def test_a_flat_signal_of_one_value_is_drawn() -> None:
    assert coloured_signal(np.zeros((1, 1)), np.zeros(1)).shape[2] == 3
