"""Images of unusual kinds: what is read of them is what people see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from input_iba.datasets.images import read_image
from input_iba.errors import DataError
from tests.reliability.conftest import Evidence
from tests.reliability.fuzz.bounded import read_or_refused
from tests.reliability.fuzz.pictures import HEIGHT, WIDTH, encoded, noise, turned
from tests.reliability.fuzz.test_images import SECTION

RGB = noise().convert("RGB")
PIXELS = np.asarray(RGB)


def pixels(place: Path, content: bytes) -> NDArray[Any]:
    """Return what is read of a file, (H, W, 3)."""
    place.write_bytes(content)
    found = read_or_refused(lambda: read_image(place))
    assert isinstance(found, Image.Image), found
    return np.asarray(found).astype(int)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "image"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_image_stands_upright_however_the_camera_was_held(
    place: Path, format_: str, orientation: int
) -> None:
    options: dict[str, Any] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 100, "subsampling": 0},
    }
    # Of smooth colours, which JPEG keeps.
    x, y = np.meshgrid(np.linspace(0, 255, WIDTH), np.linspace(0, 255, HEIGHT))
    smooth = Image.fromarray(np.stack([x, y, 255 - x], -1).astype(np.uint8))
    back = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    exif = Image.Exif()
    exif[0x0112] = back
    lying = smooth.copy()
    lying.info["exif"] = exif.tobytes()
    lying = ImageOps.exif_transpose(lying)
    found = pixels(place, turned(lying, orientation, format_, **options.get(format_, {})))
    assert found.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(found - np.asarray(smooth).astype(int)).max() <= 8


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(place: Path, orientation: int) -> None:
    assert (pixels(place, turned(RGB, orientation, "PNG")) == PIXELS).all()


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB"])
def test_colours_of_other_spaces_are_those_that_are_seen(place: Path, mode: str) -> None:
    colours = {"CMYK": (0, 255, 255, 0), "YCbCr": (76, 85, 255), "LAB": (137, 208, 195)}
    image = Image.new(mode, (WIDTH, HEIGHT), colours[mode])
    format_ = "JPEG" if mode != "LAB" else "TIFF"
    red, green, blue = pixels(place, encoded(image, format_)).reshape(-1, 3).T
    assert red.min() > 240
    assert max(green.max(), blue.max()) < 20


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_shades(place: Path, format_: str) -> None:
    grey = np.linspace(0, 65535, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint16)
    found = pixels(place, encoded(Image.fromarray(grey), format_))
    assert np.abs(found[..., 0] - grey / 257).max() <= 0.5
    assert len(np.unique(found)) == 256


def test_transparent_colours_of_a_palette_are_white(place: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    for content in (encoded(image, "PNG", transparency=0), encoded(image, "GIF", transparency=0)):
        assert pixels(place, content)[0].tolist() == [[255, 255, 255], [0, 0, 255]]
    half = encoded(image, "PNG", transparency=bytes([128, 255]))
    assert np.abs(pixels(place, half)[0] - [[255, 127, 127], [0, 0, 255]]).max() <= 1


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_read(place: Path, format_: str) -> None:
    first, *rest = (Image.new("RGB", (WIDTH, HEIGHT), name) for name in ("red", "blue", "lime"))
    content = encoded(first, format_, save_all=True, append_images=rest)
    place.write_bytes(content)
    with Image.open(place) as image:
        assert getattr(image, "n_frames", 1) == 3
    assert np.abs(pixels(place, content) - [255, 0, 0]).max() <= 3


def test_values_that_mean_no_shade_are_refused(place: Path) -> None:
    for wrong in (float("nan"), float("inf"), 2.0, -0.5):
        place.write_bytes(encoded(Image.new("F", (3, 3), wrong), "TIFF"))
        found = read_or_refused(lambda: read_image(place), DataError)
        assert isinstance(found, DataError), wrong
        assert "expected in [0, 1]" in str(found)


def test_unusual_images_are_read_as_they_are_seen(evidence: Evidence) -> None:
    evidence(
        SECTION,
        "turned by EXIF in 4 formats, CMYK, YCbCr, LAB, 16 bits, transparent palettes, animations, "
        "values beyond [0, 1]",
        49,
        "upright, in their colours, over white, the first frame; what means no shade is refused",
    )
