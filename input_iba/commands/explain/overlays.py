"""Heat over images at their own size, of which a network saw all or a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from input_iba.drawing import overlay

MAX_SIDE = 1600
"""Pixels of an overlay's longer side, at most."""

DIMMED = 0.45
"""Brightness of what the network did not see."""

Box = tuple[float, float, float, float]


def seen_part(size: tuple[int, int], pipeline: Sequence[Mapping[str, Any]]) -> Box:
    """Return which part of an image the network saw: left, top, right, bottom in its pixels.

    Args:
        size: Width and height of the image.
        pipeline: Transforms that resize it whole, or by its shorter side with the middle cut out.

    >>> seen_part((300, 200), [{"type": "SmallestMaxSize", "max_size": 100},
    ...                        {"type": "CenterCrop", "height": 90, "width": 90}])
    (60.0, 10.0, 240.0, 190.0)
    """
    steps = {step["type"]: step for step in pipeline}
    if not {"SmallestMaxSize", "CenterCrop"} <= set(steps):
        return 0.0, 0.0, float(size[0]), float(size[1])
    scale = min(size) / steps["SmallestMaxSize"]["max_size"]
    width = min(steps["CenterCrop"]["width"] * scale, size[0])
    height = min(steps["CenterCrop"]["height"] * scale, size[1])
    left, top = (size[0] - width) / 2, (size[1] - height) / 2
    return left, top, left + width, top + height


def over_image(
    image: Image.Image, heat: NDArray[np.floating[Any]], box: Box, colour_map: str
) -> NDArray[np.uint8]:
    """Lay heat over the part of an image that it is of, and dim the rest.

    Args:
        image: RGB, of any size; shrunk to `MAX_SIDE`.
        heat: (h, w) in [0, 1].
        box: See `seen_part`.
        colour_map: A name of matplotlib's.

    Returns:
        (H, W, 3), uint8.
    """
    scale = min(1.0, MAX_SIDE / max(image.size))
    size = [max(1, round(side * scale)) for side in image.size]
    pixels = np.asarray(image.resize((size[0], size[1]), Image.Resampling.LANCZOS))
    left, top, right, bottom = (round(edge * scale) for edge in box)
    found: NDArray[np.uint8] = (overlay(pixels, np.zeros((2, 2))) * DIMMED).astype(np.uint8)
    part = (slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1)))
    found[part] = overlay(pixels[part], heat, colour_map)
    return found
