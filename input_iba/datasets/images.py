"""Images: read from files of any kind, and what every data set of them is."""

from __future__ import annotations

import io
import zlib
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from input_iba.core.files import Readable
from input_iba.datasets.base import SampleDataset
from input_iba.datasets.pipeline import Pipeline, PipelineConfig
from input_iba.errors import ConfigError, DataError
from input_iba.records import ImageSample

SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")
"""File names with these endings, in any case, are taken for images."""


class ImageDataset(SampleDataset):
    """Images by position: a reader, and a pipeline behind it.

    Args:
        ids: See `SampleDataset`, as `class_names`, `targets` and `paths`.
        pipeline: See `Pipeline`.
        channels: Channels of the inputs: 3 (RGB) or 1 (grey).
        seed: Seeds transforms that draw at random, together with the sample's id.
    """

    movable: bool = True
    """Whether an image that is shifted or mirrored is of the same class."""

    def __init__(
        self,
        ids: list[str],
        pipeline: PipelineConfig,
        class_names: Sequence[str] | None = None,
        channels: int = 3,
        seed: int = 0,
        targets: Sequence[int | None] | None = None,
        paths: Sequence[str] = (),
    ) -> None:
        if channels not in (1, 3):
            raise ConfigError(f"`channels` of a data set is 1 (grey) or 3 (RGB); got {channels!r}.")
        super().__init__(ids, class_names, targets, paths)
        self.channels = channels
        self.seed = seed
        self.pipeline = Pipeline(pipeline)

    def __getitem__(self, index: int) -> ImageSample:
        image, boxes = self.read(index)
        target, path = self.target(index), self.path(index)
        seed = zlib.crc32(f"{self.seed}/{self.ids[index]}".encode("utf-8", "surrogatepass"))
        region = self.region(index)
        try:
            inputs, shown, boxes = self.pipeline(_as_channels(image, self.channels), boxes, seed)
            if region is not None:
                region = self.pipeline.moved(region, seed)
        except (ValueError, RuntimeError) as error:  # e.g. a crop that is larger than the image
            raise DataError(
                f"The pipeline cannot be applied to '{path}' ({image.width}×{image.height} "
                f"pixels): {error}"
            ) from error
        return ImageSample(
            self.ids[index], inputs, target, path, image=shown, boxes=boxes, region=region
        )

    @abstractmethod
    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB image and its boxes (n, 4), x1, y1, x2, y2 in its pixels, or None."""

    def region(self, index: int) -> Tensor | None:
        """Return which pixels of an image decide its class, (H, W), bool, where that is known."""
        return None

    def preparation(self) -> list[Any]:
        """Return channels, seed and pipeline."""
        return [self.channels, self.seed, self.pipeline.config]


def load_pixels(
    dataset: ImageDataset,
    on_sample: Callable[[], object] = lambda: None,
    indices: Sequence[int] | None = None,
) -> tuple[Tensor, Tensor]:
    """Read every sample, or those of some indices, into memory, to train small classifiers.

    Returns:
        Pixels before normalisation (N, C, H, W), uint8, and targets (N,), int64.

    Raises:
        DataError: A sample cannot be read, has no target, or has another shape than the first.
    """
    pixels: Tensor | None = None
    indices = range(len(dataset)) if indices is None else indices
    targets = torch.empty(len(indices), dtype=torch.int64)
    for i, index in enumerate(indices):
        sample = dataset[index]
        if sample.target is None:
            raise DataError(
                f"Sample '{sample.path}' has no class. Training needs class folders: "
                "'<root>/<class>/<name>'."
            )
        shown = sample.image[: dataset.channels]
        if pixels is None:  # all of them at once: a list of images would need twice the memory
            pixels = torch.empty((len(indices), *shown.shape), dtype=torch.uint8)
        if shown.shape != pixels.shape[1:]:
            raise DataError(
                f"Sample '{sample.path}' has shape {tuple(shown.shape)}, the first one "
                f"{tuple(pixels.shape[1:])}. Add Resize with height and width to the pipeline."
            )
        pixels[i], targets[i] = shown, sample.target
        on_sample()
    if pixels is None:
        raise DataError("The data set is empty; training needs samples.")
    return pixels, targets


def read_image(
    path: str | Path | Readable | io.BytesIO, channels: int = 3, upright: bool = True
) -> Image.Image:
    """Read an image as it should be looked at, RGB or (1 channel) grey.

    It is turned as its EXIF entry says, if `upright`; 16 bits are scaled to 8; transparent pixels
    are laid over white; grey, palette, CMYK and other modes are converted.

    Raises:
        DataError: The file is absent, truncated, or not an image.
    """
    try:
        source = path if isinstance(path, str | Path | io.BytesIO) else path.open("rb")
        with Image.open(source) as image:
            image.load()
            turned = ImageOps.exif_transpose(image) if upright else image
            return _as_channels(to_rgb(turned), channels)
    except FileNotFoundError as error:
        raise DataError(f"Image '{path}' does not exist. Check the data set's paths.") from error
    except Exception as error:  # Pillow's readers raise whatever they meet in a damaged file
        raise DataError(
            f"Image '{path}' cannot be read: {str(error) or type(error).__name__}. Expected a "
            "whole file in a format that Pillow reads: replace or remove it."
        ) from error


def _as_channels(image: Image.Image, channels: int) -> Image.Image:
    return image.convert("L") if channels == 1 else image


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode to RGB, transparent pixels over white.

    Raises:
        ValueError: An image of floating-point values goes beyond [0, 1].

    >>> to_rgb(Image.new("RGBA", (1, 1), (0, 0, 0, 0))).getpixel((0, 0))
    (255, 255, 255)
    >>> to_rgb(Image.new("I;16", (1, 1), 65535)).getpixel((0, 0))
    (255, 255, 255)
    """
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image).astype(np.float64)
        if image.mode == "F" and not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(
                "floating-point values are expected in [0, 1], got "
                f"[{values.min():g}, {values.max():g}]"
            )
        # 16-bit files arrive as I;16 or as 32-bit integers; converting would cut them at 255.
        scaled = values * 255 if image.mode == "F" else values / 257
        eight_bits = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
        return Image.fromarray(eight_bits).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        front = image.convert("RGBA")
        white = Image.new("RGBA", front.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, front).convert("RGB")
    return image.convert("RGB")
