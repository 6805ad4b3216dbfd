"""Images of every kind that a user may have: formats, modes, frames, and turned cameras."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 20, 24
ORIENTATION = 0x0112
"""Number of the EXIF entry that says how the camera was held."""


def encoded(image: Image.Image, format_: str, **options: Any) -> bytes:
    """Return an image as a file's content."""
    held = io.BytesIO()
    image.save(held, format_, **options)
    return held.getvalue()


def noise() -> Image.Image:
    """Return an image of random pixels, partly transparent."""
    draws = np.random.default_rng(0)
    return Image.fromarray(draws.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8))


def turned(image: Image.Image, orientation: int, format_: str = "JPEG", **options: Any) -> bytes:
    """Return an image whose EXIF entry says how it is to be turned."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(image, format_, exif=exif.tobytes(), **options)


def originals() -> list[bytes]:
    """Return whole files to be broken."""
    rgba = noise()
    rgb, palette = rgba.convert("RGB"), rgba.convert("RGB").convert("P")
    deep = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    turns = {"save_all": True, "append_images": [palette.rotate(90)]}
    squeezed = ("tiff_lzw", "tiff_deflate", "jpeg", "packbits")
    return [
        *(encoded(rgb, name) for name in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")),
        *(encoded(rgb, "TIFF", compression=name) for name in squeezed),
        *(encoded(rgba, name) for name in ("PNG", "WEBP", "TIFF")),
        *(encoded(deep, name) for name in ("PNG", "TIFF")),
        *(encoded(palette, name, **turns) for name in ("PNG", "GIF", "WEBP", "TIFF")),
        encoded(palette, "PNG", transparency=0),
        encoded(rgb.convert("CMYK"), "JPEG"),
        encoded(rgb.convert("F"), "TIFF"),
        turned(rgb, 6, progressive=True),
        turned(rgb, 5, "PNG"),
    ]


def bomb(format_: str, side: int = 50_000) -> bytes:
    """Return a file of less than 1 MiB that says that it is a square image of `side` pixels.

    The PNG truly is one, all white; of the others there is no more than the beginning.
    """
    if format_ == "PNG":
        return _white_png(side)
    content = bytearray(encoded(noise().convert("RGB").resize((1, 1)), format_))
    start, count, order = {
        "GIF": (6, 2, "little"),
        "BMP": (18, 4, "little"),
        "JPEG": (content.find(b"\xff\xc0") + 5, 2, "big"),
    }[format_]
    size = side.to_bytes(count, "big" if order == "big" else "little") * 2
    content[start : start + len(size)] = size
    return bytes(content)


def _white_png(side: int) -> bytes:
    """Return all of a white square image, one bit a pixel."""
    squeeze, line = zlib.compressobj(6), b"\0" + b"\xff" * ((side + 7) // 8)
    rows = b"".join([squeeze.compress(line * 100) for _ in range(side // 100)]) + squeeze.flush()
    head = side.to_bytes(4, "big") * 2 + b"\1\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND")


def _chunk(name: bytes, content: bytes = b"") -> bytes:
    checked = name + content
    size, check = len(content).to_bytes(4, "big"), zlib.crc32(checked).to_bytes(4, "big")
    return size + checked + check
