"""Six images that dependencies bring, so that the first run needs no data."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import cbook
from PIL import Image
from torch import Tensor

from input_iba.datasets.class_index import classes_of_file, imagenet_classes
from input_iba.datasets.images import ImageDataset, read_image, to_rgb
from input_iba.datasets.pipeline import PipelineConfig
from input_iba.errors import ConfigError, closest, import_extra
from input_iba.registry import DATASETS

NAMES = ("coffee", "camera", "chelsea", "motorcycle", "rocket", "grace_hopper")


@lru_cache(maxsize=len(NAMES))
def sample_image(name: str) -> Image.Image:
    """Return one of the images, RGB, in its own size.

    Raises:
        ConfigError: There is no image of that name.
        MissingExtraError: scikit-image is not installed.
    """
    if name not in NAMES:
        raise ConfigError(
            f"Unknown image {name!r}.{closest(name, NAMES)} Known: {', '.join(NAMES)}."
        )
    if name == "grace_hopper":
        return read_image(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    data = import_extra("skimage", "scikit-image", "samples").data
    loaded: Any = getattr(data, "stereo_motorcycle" if name == "motorcycle" else name)()
    pixels = loaded[0] if name == "motorcycle" else loaded
    return to_rgb(Image.fromarray(pixels))


@DATASETS.register_module()
class Samples(ImageDataset):
    """The images coffee, camera, chelsea (a cat), motorcycle, rocket and grace_hopper.

    Args:
        names: Which images, in this order; all by default.
        targets: Class index or class name by image; the others are explained for the class
            that the classifier predicts.
        ind_to_cls_file: JSON file of the classes; by default those of ImageNet.
    """

    indices_given = True

    def __init__(
        self,
        pipeline: PipelineConfig,
        names: Sequence[str] = NAMES,
        targets: Mapping[str, int | str] | None = None,
        ind_to_cls_file: str | Path | None = None,
        channels: int = 3,
    ) -> None:
        _check_names(names)
        known = imagenet_classes() if ind_to_cls_file is None else classes_of_file(ind_to_cls_file)
        indices = {}
        for name, target in (targets or {}).items():
            if name not in names:
                raise ConfigError(
                    f"`targets` names {name!r}, which is not among the images "
                    f"{', '.join(names)}.{closest(name, names)}"
                )
            try:
                indices[name] = known.find(target)
            except ConfigError as error:
                raise ConfigError(f"Target of {name!r}: {error}") from error
        every = [indices.get(name) for name in names]
        paths = list(map(_origin, names))
        super().__init__([*names], pipeline, known.names, channels, targets=every, paths=paths)
        self.indices = indices

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the image; no boxes."""
        return sample_image(self.ids[index]), None

    def content(self) -> list[Any]:
        """Return name and checksum of the images, and the targets."""
        return [*_checksums(self.ids), self.indices]


@DATASETS.register_module()
class SampleCrops(ImageDataset):
    """Random crops and flips of the images, as an estimation set.

    The crop at a position depends on seed and position only. It has no target, since it may show
    nothing of its image's class.

    Args:
        n: Number of crops; the images take turns.
        names: Which images; all by default.
        scale: Smallest and largest share of the image's area.
    """

    def __init__(
        self,
        pipeline: PipelineConfig,
        n: int = 200,
        names: Sequence[str] = NAMES,
        scale: tuple[float, float] = (0.2, 1.0),
        seed: int = 0,
        channels: int = 3,
    ) -> None:
        _check_names(names)
        if n < 1:
            raise ConfigError(f"`n`, the number of crops, is at least 1; got {n!r}.")
        if not 0 < scale[0] <= scale[1] <= 1:
            raise ConfigError(f"`scale` is two shares in (0, 1], small to large; got {scale!r}.")
        of = [names[i % len(names)] for i in range(n)]
        ids = [f"{name}_{i:0{len(str(n - 1))}d}" for i, name in enumerate(of)]
        paths = [f"{_origin(name)}, crop {i}" for i, name in enumerate(of)]
        super().__init__(ids, pipeline, None, channels, seed, paths=paths)
        self.names = list(names)
        self.scale = (float(scale[0]), float(scale[1]))

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return a crop; no boxes."""
        image = sample_image(self.names[index % len(self.names)])
        draws = np.random.default_rng((self.seed, index))
        area = draws.uniform(*self.scale) * image.width * image.height
        ratio = np.exp(draws.uniform(np.log(3 / 4), np.log(4 / 3)))
        width = min(image.width, max(1, round(np.sqrt(area * ratio))))
        height = min(image.height, max(1, round(np.sqrt(area / ratio))))
        left = int(draws.integers(image.width - width + 1))
        top = int(draws.integers(image.height - height + 1))
        crop = image.crop((left, top, left + width, top + height))
        if draws.random() < 0.5:
            crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return crop, None

    def content(self) -> list[Any]:
        """Return name and checksum of the images, and how they are cropped."""
        return [*_checksums(self.names), len(self), self.scale]


def _check_names(names: Sequence[str]) -> None:
    if isinstance(names, str) or not names or len(set(names)) != len(names):
        raise ConfigError(
            f"`names` is a list of different images among {', '.join(NAMES)}; got {names!r}."
        )
    for name in names:
        sample_image(name)


def _checksums(names: Sequence[str]) -> list[Any]:
    return [[name, zlib.crc32(sample_image(name).tobytes())] for name in names]


def _origin(name: str) -> str:
    """Return the package that brings an image, and its name."""
    return f"{'matplotlib' if name == 'grace_hopper' else 'scikit-image'}: {name}"
