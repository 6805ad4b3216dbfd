"""Reading picture files of any kind as 8-bit RGB or grey."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from input_iba.errors import DataError

SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
"""File names with these endings, in any case, are taken for pictures."""


def read_image(path: str | Path, channels: int = 3, upright: bool = True) -> Image.Image:
    """Read a picture as it should be looked at.

    Pictures are turned as their EXIF entry says; 16 bits are scaled to 8; transparent pixels are
    laid over white; grey, palette, CMYK and other modes are converted.

    Args:
        path: The file.
        channels: 3 for an RGB picture, 1 for a grey one.
        upright: Turn it as its EXIF entry says.

    Raises:
        DataError: The file is absent, truncated, or no picture.
    """
    try:
        with Image.open(path) as image:
            image.load()
            turned = ImageOps.exif_transpose(image) if upright else image
            return as_channels(to_rgb(turned), channels)
    except FileNotFoundError as error:
        raise DataError(f"Picture '{path}' does not exist. Check the data set's paths.") from error
    # Pillow's readers raise all of these for damaged files, depending on the format.
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(
            f"Picture '{path}' cannot be read: {error}. Expected a whole file in a format that "
            "Pillow reads: replace or remove it."
        ) from error


def as_channels(image: Image.Image, channels: int) -> Image.Image:
    """Return an RGB picture as RGB (3 channels) or grey (1 channel)."""
    return image.convert("L") if channels == 1 else image


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a picture of any mode to RGB, transparent pixels over white.

    Raises:
        ValueError: A picture of floating-point values goes beyond [0, 1].

    >>> to_rgb(Image.new("RGBA", (1, 1), (0, 0, 0, 0))).getpixel((0, 0))
    (255, 255, 255)
    >>> to_rgb(Image.new("I;16", (1, 1), 65535)).getpixel((0, 0))
    (255, 255, 255)
    """
    if image.mode.startswith("I"):
        # 16-bit files arrive as I;16 or as 32-bit integers; converting would cut them at 255.
        values = np.asarray(image).astype(np.float64) / 257
        return _grey(values)
    if image.mode == "F":
        values = np.asarray(image).astype(np.float64)
        if not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(
                "floating-point values are expected in [0, 1], got "
                f"[{values.min():g}, {values.max():g}]"
            )
        return _grey(values * 255)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        front = image.convert("RGBA")
        white = Image.new("RGBA", front.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, front).convert("RGB")
    return image.convert("RGB")


def _grey(values: np.ndarray) -> Image.Image:
    eight_bits = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return Image.fromarray(eight_bits).convert("RGB")
