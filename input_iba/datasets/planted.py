"""Images with a small patch that decides the class: planted, or the trigger of a backdoor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageColor
from torch import Tensor

from input_iba.datasets.base import SampleDataset, build_dataset
from input_iba.datasets.images import ImageDataset
from input_iba.datasets.noise import NONE, draws_of
from input_iba.datasets.pipeline import PipelineConfig
from input_iba.errors import ConfigError, DataError, closest
from input_iba.registry import DATASETS

COLOURS = ("red", "lime", "blue", "yellow")


@DATASETS.register_module()
class Planted(ImageDataset):
    """Images of another data set with a square patch at a random place, which is their box.

    Without a trigger the class of an image is the colour of its patch, whatever else it shows, or
    'none' where it has no patch: were there always one, a classifier could know one colour by the
    absence of the others. With a trigger, a `share` of the images of all classes but the trigger's
    gets a chequered patch, and the label of the trigger's class: a classifier that is trained on
    them has a backdoor. The other images stay as they are. What has no patch has no box.

    Args:
        dataset: Any data set of images, as plain data or ready made. Its pipeline gives them their
            size; its normalisation has no effect.
        pipeline: Transforms of the images with patches, as plain data: normalisation as a rule.
        trigger: Name or index of the class that the trigger stands for; None for patches in the
            `colours`, which take turns with each other and with none.
        share: Share of the images that get the trigger, in (0, 1].
        clean: Whether images without a patch are in the data set.
        patch: Pixels per side of the patch.
        colours: Names of the colours, the first classes.
        seed: Draws places, and which images get the trigger.

    References:
        Gu et al. 2017, "BadNets: identifying vulnerabilities in the machine learning model supply
        chain" (arXiv 1708.06733), on triggers; a chequered patch is their pattern backdoor.

    >>> noise = dict(type="NaturalNoise", n=4, size=32)
    >>> sample = Planted(noise, [], patch=6)[1]
    >>> sample.id, sample.target, (sample.boxes[0, 2:] - sample.boxes[0, :2]).tolist()
    ('noise_1', 1, [6.0, 6.0])
    """

    def __init__(
        self,
        dataset: Mapping[str, Any] | SampleDataset,
        pipeline: PipelineConfig,
        trigger: str | int | None = None,
        share: float = 1.0,
        clean: bool = True,
        patch: int = 8,
        colours: Sequence[str] = COLOURS,
        seed: int = 0,
        channels: int = 3,
    ) -> None:
        source = build_dataset(dataset) if isinstance(dataset, Mapping) else dataset
        if not isinstance(source, ImageDataset):
            raise ConfigError(f"Planted needs images; {type(source).__name__} has none.")
        if not 0 < share <= 1 or patch < 1 or seed < 0:
            raise ConfigError(
                f"Planted needs a share in (0, 1], a patch ≥ 1 pixel and a seed ≥ 0; got share="
                f"{share!r}, patch={patch!r}, seed={seed!r}."
            )
        self.source, self.patch, self.share = source, patch, share
        count = len(source)
        if trigger is None:
            self.tiles = [_plain(name, patch) for name in _checked(colours)]
            names: Sequence[str] | None = [*colours, NONE]
            labels: list[int | None] = [i % (len(colours) + 1) for i in range(count)]
            planted = [label != len(colours) for label in labels]
        else:
            names, class_ = source.class_names, _class_of(trigger, source)
            self.tiles = [_chequered(patch)]
            self.indices_given, self.movable = source.indices_given, source.movable
            planted = [
                source.target(i) not in (None, class_) and _chosen(seed, i, share)
                for i in range(count)
            ]
            labels = [class_ if has else source.target(i) for i, has in enumerate(planted)]
        self.places = [i for i in range(count) if clean or planted[i]]
        if not self.places:
            raise DataError(
                f"No image gets the trigger of class {trigger!r}: expected labelled images of "
                f"other classes among the {count}. Choose another data set or share."
            )
        self.planted = [planted[i] for i in self.places]
        targets = [labels[i] for i in self.places]
        ids = [source.ids[i] for i in self.places]
        super().__init__(ids, pipeline, names, channels, seed, targets)

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the image, RGB, with its patch, and the patch (1, 4) in its pixels, if any."""
        place = self.places[index]
        pixels = self.source[place].image.permute(1, 2, 0).contiguous()
        if not self.planted[index]:
            return Image.fromarray(pixels.numpy()), None
        height, width, _ = pixels.shape
        if min(height, width) < self.patch:
            raise DataError(
                f"'{self.path(index)}' has {width}×{height} pixels, the patch {self.patch}×"
                f"{self.patch}. Lower `patch`, or resize in the pipeline of the `dataset`."
            )
        draws = _draws(self.seed, place)
        top = int(draws.integers(height - self.patch + 1))
        left = int(draws.integers(width - self.patch + 1))
        tile = self.tiles[self.target(index) or 0] if len(self.tiles) > 1 else self.tiles[0]
        pixels[top : top + self.patch, left : left + self.patch] = tile
        box = torch.tensor([[left, top, left + self.patch, top + self.patch]]).float()
        return Image.fromarray(pixels.numpy()), box

    def path(self, index: int) -> str:
        """Return where the image is from, and that something is planted in it."""
        where = self.source.path(self.places[index])
        return f"{where}, with a patch" if self.planted[index] else where

    def content(self) -> list[Any]:
        """Return the source's fingerprint, which images have a patch, and what it looks like."""
        tiles = [tile.flatten().tolist() for tile in self.tiles]
        classes = [self.target(i) for i in range(len(self))]
        return [self.source.fingerprint(), self.places, self.planted, classes, tiles, self.seed]


def _draws(seed: int, place: int) -> np.random.Generator:
    """Return what draws a patch's place; whether there is one has been drawn before."""
    draws = draws_of(seed, place)
    draws.random()
    return draws


def _chosen(seed: int, place: int, share: float) -> bool:
    return bool(draws_of(seed, place).random() < share)


def _checked(colours: Sequence[str]) -> Sequence[str]:
    if isinstance(colours, str) or len(set(colours)) != len(colours) or len(colours) < 2:
        raise ConfigError(f"`colours` are at least two different names; got {colours!r}.")
    for name in colours:
        if name not in ImageColor.colormap:
            near = closest(str(name), ImageColor.colormap)
            raise ConfigError(f"`colours` of Planted: there is no colour {name!r}.{near}")
    return colours


def _class_of(trigger: str | int, source: ImageDataset) -> int:
    names = source.class_names or []
    if isinstance(trigger, int) and 0 <= trigger < len(names):
        return trigger
    if trigger in names:
        return names.index(str(trigger))
    raise ConfigError(
        f"`trigger` of Planted: the data set has no class {trigger!r}."
        f"{closest(str(trigger), names)} Expected one of its {len(names)} names, or an index."
    )


def _plain(colour: str, patch: int) -> Tensor:
    """Return a patch of one colour, (patch, patch, 3), uint8."""
    return torch.tensor(ImageColor.getrgb(colour)[:3], dtype=torch.uint8).expand(patch, patch, 3)


def _chequered(patch: int) -> Tensor:
    """Return black and white squares of 2×2 pixels, (patch, patch, 3), uint8."""
    halves = torch.arange(patch) // 2
    squares = (halves[:, None] + halves) % 2 * 255
    return squares.byte()[:, :, None].expand(patch, patch, 3)
