"""Every kind of image becomes the right 8-bit RGB or grey image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from input_iba.datasets.images import read_image
from input_iba.errors import DataError
from tests.datasets.pictures import gradient, write


def test_rgb_is_kept(tmp_path: Path) -> None:
    found = read_image(write(tmp_path / "a.png"))
    assert np.array_equal(np.asarray(found), np.asarray(gradient()))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_scaled(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 257, 32896], [65535, 40000, 12]], dtype=np.uint16)
    found = np.asarray(read_image(write(tmp_path / f"a.{suffix}", Image.fromarray(values))))
    assert found.shape == (2, 3, 3)
    assert found[..., 0].tolist() == [[0, 1, 128], [255, 156, 0]]


def test_transparent_pixels_lie_over_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (200, 100, 0, 255))
    image.putpixel((2, 0), (0, 0, 0, 128))
    found = np.asarray(read_image(write(tmp_path / "a.png", image)))[0]
    assert found[0].tolist() == [255, 255, 255]
    assert found[1].tolist() == [200, 100, 0]
    assert abs(int(found[2, 0]) - 127) <= 1


def test_grey_alpha_and_transparent_palette(tmp_path: Path) -> None:
    grey = Image.new("LA", (1, 1), (30, 0))
    assert read_image(write(tmp_path / "a.png", grey)).getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("P", (2, 1), 0)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "b.png", transparency=0)
    found = read_image(tmp_path / "b.png")
    assert [found.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (40, 50, 60)]


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr"])
def test_other_modes(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (16, 16), (255, 0, 0)).convert(mode)
    found = read_image(write(tmp_path / ("a.jpg" if mode in ("CMYK", "YCbCr") else "a.png"), image))
    assert found.mode == "RGB"
    colour = np.asarray(found).mean(axis=(0, 1))
    expected = {"L": [76, 76, 76], "1": None, "P": [255, 0, 0]}.get(mode, [254, 0, 0])
    if expected is not None:
        assert np.abs(colour - expected).max() < 4


def test_floating_point(tmp_path: Path) -> None:
    inside = Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32))
    found = read_image(write(tmp_path / "a.tif", inside))
    assert np.asarray(found)[0, :, 1].tolist() == [0, 128, 255]
    beyond = Image.fromarray(np.array([[0.0, 900.0]], dtype=np.float32))
    with pytest.raises(DataError, match=r"b\.tif.*\[0, 1\], got \[0, 900\]"):
        read_image(write(tmp_path / "b.tif", beyond))


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rows are columns
    gradient(8, 6).save(tmp_path / "a.png", exif=exif)
    found = read_image(tmp_path / "a.png")
    assert found.size == (6, 8)
    turned = gradient(8, 6).transpose(Image.Transpose.ROTATE_270)
    assert np.array_equal(np.asarray(found), np.asarray(turned))


def test_grey_output(tmp_path: Path) -> None:
    found = read_image(write(tmp_path / "a.png"), channels=1)
    assert np.array_equal(np.asarray(found), np.asarray(gradient().convert("L")))


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_truncated_image(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = write(tmp_path / f"a.{suffix}", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"a\..*cannot be read.*replace or remove"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_no_image(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png.*cannot be read"):
        read_image(tmp_path / "a.png")


def test_absent_image(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.png' does not exist"):
        read_image(tmp_path / "a.png")
