"""What is told of explained photographs: the most probable classes, and overlays at full size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from input_iba.commands.explain.given import class_lines, tell_samples
from input_iba.config.load import RunConfig
from input_iba.datasets.images import read_image
from input_iba.drawing import heat_of, overlay
from input_iba.results import SampleRecord, write_image
from input_iba.results.map_files import read_map

LONGEST_SIDE = 1600
"""Pixels of an overlay's longer side, at most."""

DIMMED = 0.45
"""Brightness of what the network did not see."""

Box = tuple[float, float, float, float]


def tell_photographs(config: RunConfig, root: Path) -> str:
    """Write an overlay of every photograph in a work directory; return what is printed of them.

    Args:
        config: Of the run, as `photographs_config` makes it.
        root: The work directory.
    """
    return tell_samples(root, partial(_told, config, root))


def _told(config: RunConfig, root: Path, record: SampleRecord) -> Iterator[str]:
    photograph = read_image(record.path)
    box = seen(photograph.size, config.attribution_data["pipeline"])
    share = (box[2] - box[0]) * (box[3] - box[1]) / (photograph.width * photograph.height)
    part = f" (the network saw its middle, {100 * share:.0f} %; --whole: all)"
    yield f"{record.path}{'' if share > 0.995 else part}"
    yield from class_lines(record)
    path = root / f"{Path(record.files['input_mask']).stem}_overlay.png"
    heat = heat_of(read_map(root / record.files["input_mask"]).numpy())
    write_image(path, over_photograph(photograph, heat, box, config.input_mask.colour_map))
    yield f"  Overlay: {path}"


def seen(size: tuple[int, int], pipeline: Sequence[Mapping[str, Any]]) -> Box:
    """Return which part of a photograph the network saw: left, top, right, bottom in its pixels.

    Args:
        size: Width and height of the photograph.
        pipeline: Transforms that resize it whole, or by its shorter side with the middle cut out.

    >>> seen((300, 200), [{"type": "SmallestMaxSize", "max_size": 100},
    ...                   {"type": "CenterCrop", "height": 90, "width": 90}])
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


def over_photograph(
    photograph: Image.Image, heat: NDArray[np.floating[Any]], box: Box, colour_map: str
) -> NDArray[np.uint8]:
    """Lay heat over the part of a photograph that it is of, and dim the rest.

    Args:
        photograph: RGB, of any size; shrunk to `LONGEST_SIDE`.
        heat: (h, w) in [0, 1].
        box: Left, top, right, bottom of the part, in the photograph's pixels.
        colour_map: A name of matplotlib's.

    Returns:
        (H, W, 3), uint8.
    """
    scale = min(1.0, LONGEST_SIDE / max(photograph.size))
    size = [max(1, round(side * scale)) for side in photograph.size]
    pixels = np.asarray(photograph.resize((size[0], size[1]), Image.Resampling.LANCZOS))
    left, top, right, bottom = (round(edge * scale) for edge in box)
    found: NDArray[np.uint8] = (overlay(pixels, np.zeros((2, 2))) * DIMMED).astype(np.uint8)
    part = (slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1)))
    found[part] = overlay(pixels[part], heat, colour_map)
    return found
