"""Colours of masks."""

from __future__ import annotations

import numpy as np
import pytest

from input_iba.drawing import (
    colourise,
    has_display,
    overlay,
    scale_to_peak,
    scale_to_range,
    show,
    smoothed,
    to_8_bits,
)
from input_iba.errors import ConfigError

RAMP = np.linspace(0, 1, 256)[None]


def test_eight_bits_keep_the_order_of_a_mask_and_never_wrap_around() -> None:
    values = to_8_bits(np.array([[-1.0, 0.0, 0.25, 1.0, 7.0]]))
    assert values.tolist() == [[0, 0, 64, 255, 255]]


def test_scaling_keeps_zero_or_stretches() -> None:
    mask = np.array([[1.0, 3.0, 5.0]])
    assert scale_to_peak(mask).tolist() == [[0.2, 0.6, 1.0]]
    assert scale_to_range(mask).tolist() == [[0.0, 0.5, 1.0]]


def test_a_flat_mask_is_cold_and_not_nan() -> None:
    assert scale_to_peak(np.zeros((2, 2))).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert scale_to_range(np.full((2, 2), 0.7)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_the_colour_map_gets_brighter_all_the_way() -> None:
    luminance = colourise(RAMP)[0].astype(float) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > -0.8).all()  # rounding to 8 bits
    assert luminance[-1] - luminance[0] > 200


def test_the_published_colour_map_is_white_in_the_middle() -> None:
    assert colourise(np.array([[0.5]]), "bwr")[0, 0].min() >= 253


def test_an_unknown_colour_map_names_the_closest() -> None:
    with pytest.raises(ConfigError, match="'inferno'"):
        colourise(RAMP, "infreno")


def test_an_overlay_is_coloured_where_hot_and_grey_where_cold() -> None:
    photograph = np.zeros((4, 6, 3), dtype=np.uint8)
    photograph[..., 0] = 240
    mask = np.zeros((4, 6))
    mask[:, 3:] = 1
    result = overlay(photograph, mask).astype(int)
    assert result.shape == photograph.shape
    assert np.ptp(result[:, :3], axis=2).max() == 0
    assert np.ptp(result[:, 3:], axis=2).min() > 50


def test_an_overlay_resizes_a_mask_of_another_resolution() -> None:
    assert overlay(np.zeros((8, 12, 3), dtype=np.uint8), np.ones((2, 3))).shape == (8, 12, 3)


def test_smoothing_spreads_a_pixel_and_keeps_the_mean() -> None:
    mask = np.zeros((224, 224))
    mask[100, 100] = 1
    blurred = smoothed(mask)
    assert blurred[100, 100] == blurred.max() < 0.05
    assert blurred[100, 103] > 0.4 * blurred.max()
    assert blurred.sum() == pytest.approx(1)


def test_without_a_display_nothing_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not has_display()
    assert not show({"mask": np.zeros((2, 2), dtype=np.uint8)})
