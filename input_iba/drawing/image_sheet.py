"""Many small pictures as one PNG: in rows, with captions and coloured frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from input_iba.drawing.heat_map import Pixels, to_8_bits
from input_iba.drawing.words import printable_lines
from input_iba.errors import DataError

SIDE = 112
"""Pixels that the longer side of a small picture is enlarged to, by a whole factor."""

FRAME = 7
GAP = 8
CAPTION = 17
HEADING = 24
DOTS_PER_INCH = 100
PAPER = 255
CHARACTER = 7
"""Pixels that a character takes at most, on average."""

MOST_CHARACTERS = 32
"""Of a caption; the rest is cut off."""


def as_pixels(pictures: ArrayLike) -> Pixels:
    """Return pictures in 8 bits and three channels.

    Args:
        pictures: (N, C, H, W) in [0, 1], N ≥ 1, one or three channels; arrays or tensors on the
            CPU.

    Returns:
        (N, H, W, 3).

    Raises:
        DataError: The shape is another.
    """
    array = np.asarray(pictures, dtype=np.float32)
    if array.ndim != 4 or array.shape[1] not in {1, 3} or 0 in array.shape:
        raise DataError(
            "Pictures to draw are (N, C, H, W) with one or three channels, none empty; got shape "
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
    """Draw pictures in rows.

    Args:
        path: Where to write; whatever its extension, it becomes a PNG.
        tiles: (N, H, W, 3), enlarged without smoothing where they are small.
        heading: Stands above.
        captions: One below each picture, or none at all.
        frames: Colour of the frame of each picture, (N, 3); None for no frames.
        columns: Pictures in a row; None for about as many as there are rows.

    Raises:
        DataError: There is not one caption, or frame, for each picture.
    """
    for name, given in (("captions", captions or None), ("frames", frames)):
        if given is not None and len(given) != len(tiles):
            raise DataError(f"{len(tiles)} pictures need as many {name}; got {len(given)}.")
    scale = max(1, SIDE // max(tiles.shape[1:3]))
    tiles = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    columns = columns or math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    captions = [_short(caption) for caption in captions]
    high, wide = (side + 2 * FRAME + GAP for side in tiles.shape[1:3])
    high += CAPTION if captions else 0
    wide = max(wide, CHARACTER * max(map(len, captions), default=0) + FRAME + GAP)
    width = max(columns * wide, CHARACTER * len(heading) + FRAME) + GAP
    sheet = np.full((HEADING + rows * high + GAP, width, 3), PAPER, np.uint8)
    corners = [
        (HEADING + (i // columns) * high + GAP, (i % columns) * wide + GAP)
        for i in range(len(tiles))
    ]
    for i, (top, left) in enumerate(corners):
        _place(sheet, tiles[i], top, left, None if frames is None else frames[i])
    texts = [
        (left + FRAME, top + tiles.shape[1] + 2 * FRAME + 3, caption)
        for (top, left), caption in zip(corners, captions, strict=False)
    ]
    _save(path, sheet, heading, texts)


def _short(caption: str) -> str:
    return caption if len(caption) <= MOST_CHARACTERS else f"{caption[: MOST_CHARACTERS - 1]}…"


def _place(sheet: Pixels, tile: Pixels, top: int, left: int, frame: Pixels | None) -> None:
    height, width = tile.shape[:2]
    if frame is not None:
        sheet[top : top + height + 2 * FRAME, left : left + width + 2 * FRAME] = frame
    sheet[top + FRAME : top + FRAME + height, left + FRAME : left + FRAME + width] = tile


def _save(path: Path, sheet: Pixels, heading: str, texts: Sequence[tuple[int, int, str]]) -> None:
    """Write a sheet pixel by pixel, with its texts at x, y of their upper left corners."""
    height, width = sheet.shape[:2]
    figure = Figure(figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    figure.figimage(sheet)
    for x, y, text in [(GAP + FRAME, GAP, heading), *texts]:
        size = 9.5 if text is heading else 8.5
        shown = printable_lines(text)
        figure.text(x / width, 1 - y / height, shown, size=size, va="top", parse_math=False)
    figure.savefig(path, dpi=DOTS_PER_INCH, format="png")
