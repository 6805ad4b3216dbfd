"""Mosaics of images of different classes, for localisation where there are no boxes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from input_iba.datasets.base import SampleDataset, build_dataset
from input_iba.datasets.images import ImageDataset
from input_iba.datasets.pipeline import PipelineConfig
from input_iba.errors import ConfigError, DataError
from input_iba.registry import DATASETS


@DATASETS.register_module()
class GridMosaic(ImageDataset):
    """Grids of 2×2 images of four classes; one of them is the target, and its cell the box.

    A method that finds what speaks for the target puts its heat into that cell. The labelled
    images take turns as targets, in random order; companions and cells are drawn per mosaic, so
    that a mosaic depends on seed, position and the images there are, and not on `n`.

    Args:
        dataset: Any data set with targets, as plain data or ready made. Its pipeline gives all
            images the size of a cell; its normalisation has no effect.
        pipeline: Transforms of the whole mosaic, as plain data: normalisation as a rule.
        n: Number of mosaics; None for as many as there are labelled images.
        grid: Cells per side; there are grid² classes in a mosaic.

    References:
        Böhle et al. 2021, "Convolutional dynamic alignment networks for interpretable
        classifications" (arXiv 2104.00032), section 4.2, the grid pointing game.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any] | SampleDataset,
        pipeline: PipelineConfig,
        n: int | None = None,
        grid: int = 2,
        seed: int = 0,
        channels: int = 3,
    ) -> None:
        if not isinstance(grid, int) or grid < 2 or not (n is None or n >= 1):
            raise ConfigError(
                f"GridMosaic needs n ≥ 1 mosaics (or None) of grid ≥ 2 cells per side; got n = "
                f"{n!r} and grid = {grid!r}."
            )
        source = build_dataset(dataset) if isinstance(dataset, Mapping) else dataset
        if not isinstance(source, ImageDataset):
            raise ConfigError(f"GridMosaic needs images; {type(source).__name__} has none.")
        self.source = source
        self.indices_given = source.indices_given
        self.grid = grid
        self.cells, self.places = _draw(source, n, grid, seed)
        shown = [cells[place] for cells, place in zip(self.cells, self.places, strict=True)]
        ids = [f"{i:05d}_{source.ids[index]}" for i, index in enumerate(shown)]
        targets = [source.target(index) for index in shown]
        super().__init__(ids, pipeline, source.class_names, channels, seed, targets)

    def read(self, index: int) -> tuple[Image.Image, Tensor]:
        """Return the mosaic, RGB, and the target's cell (1, 4) in its pixels."""
        samples = [self.source[i] for i in self.cells[index]]
        _, height, width = samples[0].image.shape
        for sample in samples:
            if tuple(sample.image.shape[1:]) != (height, width):
                raise DataError(
                    f"Images of a mosaic must have one size; '{samples[0].path}' has "
                    f"{width}×{height} pixels, '{sample.path}' {sample.image.shape[2]}×"
                    f"{sample.image.shape[1]}. Add dict(type='Resize', height=…, width=…) to the "
                    "pipeline of GridMosaic's `dataset`."
                )
        strips = [
            torch.cat([sample.image for sample in samples[first : first + self.grid]], dim=2)
            for first in range(0, len(samples), self.grid)
        ]
        pixels = torch.cat(strips, dim=1).permute(1, 2, 0).contiguous()
        row, column = divmod(self.places[index], self.grid)
        corner = torch.tensor([column * width, row * height])
        box = torch.cat([corner, corner + torch.tensor([width, height])])
        return Image.fromarray(pixels.numpy()), box[None].float()

    def path(self, index: int) -> str:
        """Return the target's path, its cell, and what lies in the others."""
        place = self.places[index]
        row, column = divmod(place, self.grid)
        others = [self.source.ids[i] for k, i in enumerate(self.cells[index]) if k != place]
        return (
            f"{self.source.path(self.cells[index][place])} in row {row}, column {column} of a "
            f"mosaic with {', '.join(others)}"
        )

    def content(self) -> list[Any]:
        """Return the source's fingerprint, the grid, and what lies where."""
        return [self.source.fingerprint(), self.grid, self.cells, self.places]


def _draw(
    source: ImageDataset, n: int | None, grid: int, seed: int
) -> tuple[list[list[int]], list[int]]:
    """Return which samples lie in the cells of every mosaic, row by row, and the target's cell."""
    label_of = {i: label for i in range(len(source)) if (label := source.target(i)) is not None}
    classes: dict[int, list[int]] = {}
    for i, label in label_of.items():
        classes.setdefault(label, []).append(i)
    if len(classes) < grid**2:
        raise DataError(
            f"A mosaic of {grid}×{grid} needs images of at least {grid**2} classes; the data "
            f"set has {len(classes)} among {len(source)} images. Choose one whose samples have "
            "targets of more classes, or a smaller `grid`."
        )
    order = random.Random(f"{seed}").sample(sorted(label_of), len(label_of))
    cells, places = [], []
    for number in range(n or len(order)):
        target = order[number % len(order)]
        # A generator per mosaic: further mosaics do not change it.
        draws = random.Random(f"{seed}/{number}")
        others = sorted(label for label in classes if label != label_of[target])
        mosaic = [draws.choice(classes[label]) for label in draws.sample(others, grid**2 - 1)]
        places.append(draws.randrange(grid**2))
        mosaic.insert(places[-1], target)
        cells.append(mosaic)
    return cells, places
