"""Tetrominoes on noise: which pixels decide the class is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from input_iba.datasets.images import ImageDataset
from input_iba.datasets.noise import (
    NONE,
    Array,
    check_drawn,
    draws_of,
    numbered_ids,
    smoothed_noise,
)
from input_iba.datasets.pipeline import PipelineConfig
from input_iba.errors import ConfigError, closest
from input_iba.registry import DATASETS

Cells: TypeAlias = tuple[tuple[int, ...], ...]
SHAPES: dict[str, Cells] = {"T": ((1, 1, 1), (0, 1, 0)), "L": ((1, 0), (1, 0), (1, 1))}
"""Cells of each tetromino, by the name of its class."""

PLACES = ("fixed", "random")
LONGEST = 3
"""Cells of a tetromino's longer side."""


@DATASETS.register_module()
class Tetrominoes(ImageDataset):
    """Grey images of noise in which a brighter tetromino, T or L, is the class.

    An image is x = α·a/‖a‖ + (1 − α)·η/‖η‖, divided by its largest absolute value; a is 1 in the
    cells of the tetromino and 0 elsewhere, η is normal noise. What decides the class is known for
    every pixel. At fixed places, T at the top left and L at the bottom right, the pixels of both
    decide, since a tetromino that is absent says as much as the other one that is there; at random
    places, and turned by quarters, those of the tetromino that is there. Other than in the paper
    the norms are those of each image, and a is not smoothed, so that a tetromino has exact edges.

    Args:
        n: Number of images; the classes take turns.
        size: Pixels per side, before the pipeline.
        cell: Pixels per side of a cell.
        alpha: α, the share of the signal, in (0, 1].
        places: 'fixed', a linear problem, or 'random' (translations and rotations).
        smoothing: Standard deviation of the Gaussian, in pixels, that correlates the noise of
            pixels; 0 for white noise.
        empty: Whether noise alone is a third class, 'none', of which no pixel is known to decide:
            without it, a classifier could know one tetromino by the absence of the other.
        seed: Draws places and noise; see `ImageDataset` for `pipeline` and `channels`.

    References:
        Clark et al. 2024, "XAI-TRIS: non-linear image benchmarks to quantify false positive
        post-hoc attribution of feature importance" (arXiv 2306.12816), sections 2 and 3.

    >>> sample = Tetrominoes(n=2, size=16, cell=2, places="random")[0]
    >>> sample.id, sample.target, sample.input.shape, int(sample.region.sum())
    ('tetromino_0', 0, torch.Size([3, 16, 16]), 16)
    """

    def __init__(
        self,
        n: int = 1000,
        size: int = 64,
        cell: int = 4,
        alpha: float = 0.3,
        places: str = "fixed",
        smoothing: float = 0.0,
        empty: bool = False,
        pipeline: PipelineConfig = (),
        seed: int = 0,
        channels: int = 3,
    ) -> None:
        check_drawn("Tetrominoes", n, seed)
        _check(size, cell, alpha, places, smoothing)
        classes = [*SHAPES, NONE] if empty else [*SHAPES]
        targets = [i % len(classes) for i in range(n)]
        paths = [f"tetromino {i} of seed {seed}" for i in range(n)]
        super().__init__(
            numbered_ids("tetromino", n), pipeline, classes, channels, seed, targets, paths
        )
        self.size, self.cell, self.places = size, cell, places
        self.alpha, self.smoothing = alpha, smoothing
        # Where places are fixed, they tell the classes apart as well as the shapes.
        self.movable = places == "random"

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the image, RGB; no boxes."""
        draws = draws_of(self.seed, range(len(self))[index])
        values = np.zeros((self.size, self.size))
        for shown in self._tetrominoes([self.target(index)], draws):
            values += self.alpha * shown / np.linalg.norm(shown)
        noise = smoothed_noise(draws, self.size, self.smoothing)
        values += (1 - self.alpha) * noise / np.linalg.norm(noise)
        values /= np.abs(values).max() or 1  # neither signal nor noise: grey
        pixels = np.rint(127.5 + 127.5 * values).astype(np.uint8)
        return Image.fromarray(pixels).convert("RGB"), None

    def region(self, index: int) -> Tensor | None:
        """Return the pixels of the tetromino, at fixed places of both; None for noise alone."""
        draws = draws_of(self.seed, range(len(self))[index])
        label = self.target(index)
        known = range(len(SHAPES)) if self.places == "fixed" else [label]
        shown = self._tetrominoes(known, draws)
        return torch.from_numpy(np.any(shown, 0)) if shown and label != len(SHAPES) else None

    def content(self) -> list[Any]:
        """Return how many images are drawn, and how."""
        how = [self.size, self.cell, self.alpha, self.places, self.smoothing, self.seed]
        return [len(self), self.class_names, *how]

    def _tetrominoes(self, labels: Iterable[int | None], draws: np.random.Generator) -> list[Array]:
        """Return images (size, size) that are 1 in the tetromino of a class, 0 elsewhere."""
        shapes = [*SHAPES.values()]
        return [
            self._placed(shapes[i], i, draws) for i in labels if i is not None and i < len(shapes)
        ]

    def _placed(self, cells: Cells, label: int, draws: np.random.Generator) -> Array:
        shape = np.kron(np.array(cells, dtype=np.float64), np.ones((self.cell, self.cell)))
        if self.places == "random":
            shape = np.rot90(shape, int(draws.integers(4)))
        rows, columns = self.size - shape.shape[0], self.size - shape.shape[1]
        if self.places == "random":
            top, left = draws.integers(rows + 1), draws.integers(columns + 1)
        elif label == 0:
            top = left = self.cell
        else:
            top, left = rows - self.cell, columns - self.cell
        image = np.zeros((self.size, self.size))
        image[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
        return image


def _check(size: int, cell: int, alpha: float, places: str, smoothing: float) -> None:
    if places not in PLACES:
        raise ConfigError(
            f"`places` of Tetrominoes is one of {', '.join(PLACES)}; got {places!r}."
            f"{closest(places, PLACES)}"
        )
    if not 0 < alpha <= 1 or smoothing < 0:
        raise ConfigError(
            f"Tetrominoes need a signal 0 < alpha ≤ 1 and a smoothing ≥ 0 pixels; got alpha="
            f"{alpha!r} and smoothing={smoothing!r}."
        )
    # At fixed places a T, two cells high with a margin of one, and an L, which is three.
    needed = LONGEST if places == "random" else 2 * LONGEST + 1
    if cell < 1 or size < needed * cell:
        raise ConfigError(
            f"Tetrominoes at {places} places of cells of {cell!r} pixels need a `size` of at least "
            f"{needed * max(cell, 1)}; got {size!r}. Raise `size`, or lower `cell`."
        )
