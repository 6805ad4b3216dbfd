"""Many small images as one PNG: in rows, with captions and coloured frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from input_iba.drawing.heat_map import Pixels, to_8_bits
from input_iba.drawing.words import printable_lines
from input_iba.errors import DataError

SIDE = 112
"""Pixels that the longer side of a small image is enlarged to, by a whole factor."""

FRAME, GAP, CAPTION, HEADING = 7, 8, 17, 24
"""Pixels of a frame's line, between images, and of the heights of texts."""

DOTS_PER_INCH = 100
PAPER = 255
CHARACTER = 7
"""Pixels that a character takes at most, on average."""

MAX_CHARACTERS = 32
"""Of a caption; the rest is cut off."""


def as_pixels(images: ArrayLike) -> Pixels:
    """Return images (N, C, H, W) in [0, 1], of one or three channels, as (N, H, W, 3), uint8."""
    array = np.asarray(images, dtype=np.float32)
    if array.ndim != 4 or array.shape[1] not in {1, 3} or 0 in array.shape:
        raise DataError(
            "Images to draw are (N, C, H, W) with one or three channels, none empty; got shape "
            f"{array.shape}."
        )
    pixels = to_8_bits(array).transpose(0, 2, 3, 1)
    return np.repeat(pixels, 3, axis=3) if pixels.shape[3] == 1 else pixels


def write_sheet(
    path: Path,
    tiles: Pixels,
    heading: str,
    captions: Sequence[str] = (),
    frames: Pixels | None = None,
    columns: int | None = None,
) -> None:
    """Draw images in rows.

    Args:
        path: Whatever its extension, it becomes a PNG.
        tiles: (N, H, W, 3), enlarged without smoothing where they are small.
        heading: Stands above.
        captions: One below each image, or none at all.
        frames: Colour of the frame of each image, (N, 3); None for no frames.
        columns: Images in a row; None for about as many as there are rows.

    Raises:
        DataError: There is not one caption, or frame, for each image.
    """
    for name, given in (("captions", captions or None), ("frames", frames)):
        if given is not None and len(given) != len(tiles):
            raise DataError(f"{len(tiles)} images need as many {name}; got {len(given)}.")
    scale = max(1, SIDE // max(tiles.shape[1:3]))
    tiles = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    height, width = tiles.shape[1:3]
    columns = columns or math.ceil(math.sqrt(len(tiles)))
    captions = [_short(caption) for caption in captions]
    down = height + 2 * FRAME + GAP + (CAPTION if captions else 0)
    across = max(map(len, captions), default=0) * CHARACTER + FRAME + GAP
    across = max(width + 2 * FRAME + GAP, across)
    sheet_width = max(columns * across, CHARACTER * len(heading) + FRAME + GAP) + GAP
    sheet_height = HEADING + math.ceil(len(tiles) / columns) * down + GAP
    sheet = np.full((sheet_height, sheet_width, 3), PAPER, np.uint8)
    texts = [(GAP + FRAME, GAP, heading)]
    for i, tile in enumerate(tiles):
        top, left = HEADING + (i // columns) * down + GAP, (i % columns) * across + GAP
        if frames is not None:
            sheet[top : top + height + 2 * FRAME, left : left + width + 2 * FRAME] = frames[i]
        sheet[top + FRAME : top + FRAME + height, left + FRAME : left + FRAME + width] = tile
        if captions:
            texts.append((left + FRAME, top + height + 2 * FRAME + 3, captions[i]))
    _save(path, sheet, texts)


def _short(caption: str) -> str:
    return caption if len(caption) <= MAX_CHARACTERS else f"{caption[: MAX_CHARACTERS - 1]}…"


def _save(path: Path, sheet: Pixels, texts: Sequence[tuple[int, int, str]]) -> None:
    """Write a sheet with its texts, the heading first, at x, y of their upper left corners."""
    from matplotlib.figure import Figure

    height, width = sheet.shape[:2]
    figure = Figure(figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
    figure.figimage(sheet)
    for i, (x, y, text) in enumerate(texts):
        shown, size = printable_lines(text), 8.5 if i else 9.5
        figure.text(x / width, 1 - y / height, shown, size=size, va="top", parse_math=False)
    figure.savefig(path, dpi=DOTS_PER_INCH, format="png")
