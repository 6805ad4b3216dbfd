"""Pictures with known pixels, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def gradient(width: int = 8, height: int = 6) -> Image.Image:
    """Return an RGB image all of whose pixels differ."""
    rows, columns = np.mgrid[:height, :width]
    channels = [columns * 200 // width, rows * 200 // height, (rows + columns) % 256]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def write(path: Path, image: Image.Image | None = None) -> Path:
    """Save an image, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or gradient()).save(path)
    return path


def write_boxes(path: Path, *boxes: tuple[object, object, object, object]) -> Path:
    """Save VOC boxes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    objects = "".join(
        f"<object><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax>"
        "</bndbox></object>"
        for a, b, c, d in boxes
    )
    path.write_text(f"<annotation>{objects}</annotation>")
    return path
