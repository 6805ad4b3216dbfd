"""Heat maps: from masks to colours, and over the image."""

from __future__ import annotations

import os
import platform
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from input_iba.errors import ConfigError, closest

COLOUR_MAP = "inferno"
"""Perceptually uniform: equal steps of the mask look like equal steps."""

SIGNED_COLOUR_MAP = "coolwarm"
"""For maps that also say what speaks against a class: 0 in its grey middle."""

SATURATED = 0.005
"""Share of the values of a signed map that are drawn in its last colour."""

STEPS = 32
"""Intervals of the tables of colours in the filter of pages' heat layers."""

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]


def scale_to_peak(mask: Floats) -> Floats:
    """Divide by the largest value, so that 0 stays 0 and the largest becomes 1.

    All stays zero where the mask (H, W), not negative, is.

    >>> scale_to_peak(np.array([[0.0, 2.0]])).tolist()
    [[0.0, 1.0]]
    """
    peak = float(mask.max())
    return mask / peak if peak > 0 else np.zeros_like(mask)


def scale_to_range(mask: Floats) -> Floats:
    """Stretch a mask (H, W) linearly to [0, 1]; a flat one becomes all zero."""
    return scale_to_peak(mask - mask.min())


def to_8_bits(mask: Floats) -> Pixels:
    """Round a mask in [0, 1] to 0…255; values outside are cut, never wrapped around.

    >>> to_8_bits(np.array([[-0.1, 0.5, 1.2]])).tolist()
    [[0, 128, 255]]
    """
    return np.round(np.clip(mask, 0, 1) * 255).astype(np.uint8)


def check_colour_map(name: str) -> None:
    """Refuse a colour map that matplotlib does not have."""
    if name not in matplotlib.colormaps:
        raise ConfigError(
            f"Unknown colour map {name!r}.{closest(name, list(matplotlib.colormaps))} "
            "The names are those of matplotlib."
        )


def colourise(mask: Floats, colour_map: str = COLOUR_MAP) -> Pixels:
    """Return a mask (H, W) in [0, 1] in the colours of a map of matplotlib's, (H, W, 3), uint8."""
    check_colour_map(colour_map)
    colours = matplotlib.colormaps[colour_map](np.clip(mask, 0, 1))
    return to_8_bits(colours[..., :3])


def heat_tables() -> dict[str, str]:
    """Return the red, green and blue of the colour map, as the heat layer's filter reads them."""
    colours = [matplotlib.colormaps[COLOUR_MAP](i / STEPS) for i in range(STEPS + 1)]
    return {
        name: " ".join(f"{colour[channel]:.3f}" for colour in colours)
        for channel, name in enumerate("RGB")
    }


def rendered(mask: Floats, colour_map: str | None = None) -> Pixels:
    """Colour a mask (H, W) over its own range; one with negative values has 0 in the middle.

    Of these the strongest half per cent of the values looks alike: a few pixels of a gradient
    are often so strong that nothing else would show. Without a colour map it is `COLOUR_MAP`, or
    `SIGNED_COLOUR_MAP`.
    """
    if (mask < 0).any():
        strong = np.abs(mask[mask != 0])
        centred = (mask / np.quantile(strong, 1 - SATURATED) + 1) / 2
        return colourise(centred, colour_map or SIGNED_COLOUR_MAP)
    return colourise(scale_to_range(mask), colour_map or COLOUR_MAP)


def smoothed(mask: Floats, share: float = 0.013) -> Floats:
    """Blur a mask (H, W) for looking at: single pixels hardly show on an image.

    `share` is the Gaussian's deviation as a share of the shorter side.
    """
    from scipy.ndimage import gaussian_filter

    blurred: Floats = gaussian_filter(mask, share * min(mask.shape))
    return blurred


def heat_of(mask: Floats) -> Floats:
    """Return the heat (H, W) that is laid over an image: smoothed, stretched to its own range.

    Of a mask with negative values only what speaks for the target counts.

    >>> heat_of(np.full((2, 2), -1.0)).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    return scale_to_range(smoothed(mask.clip(0) if bool((mask < 0).any()) else mask))


def overlay(image: Pixels, mask: Floats, colour_map: str = COLOUR_MAP) -> Pixels:
    """Lay a heat map over an image (H, W, 3), uint8: grey where cold, coloured where hot.

    The mask (h, w), in [0, 1], is resized to the image where it differs.
    """
    height, width = image.shape[:2]
    if mask.shape != (height, width):
        small = Image.fromarray(mask.astype(np.float32))
        mask = np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))
    heat = 0.75 * np.clip(mask, 0, 1)[..., None].astype(np.float32)
    grey = 0.7 * image.astype(np.float32).mean(axis=2, keepdims=True)
    mixed = (1 - heat) * grey + heat * colourise(mask, colour_map).astype(np.float32)
    return np.asarray(np.round(np.clip(mixed, 0, 255)), dtype=np.uint8)


def has_display() -> bool:
    """Return whether a window can open."""
    if platform.system() == "Linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def show(images: dict[str, Pixels]) -> bool:
    """Open a window with images by their titles where there is a display; return whether it did."""
    if not has_display():
        return False
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(images), squeeze=False)
    for axis, (title, image) in zip(axes[0], images.items(), strict=True):
        axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        axis.set_title(title)
        axis.axis("off")
    plt.show(block=False)
    plt.pause(0.1)
    plt.close(figure)
    return True
