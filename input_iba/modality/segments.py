"""Ways to cut an image, a signal or a volume into segments."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from input_iba.errors import AttributionError, import_extra

SEGMENTS = ("grid", "slic")
"""Ways to cut an image."""


def segment(image: Tensor, kind: str, tiles: int) -> Tensor:
    """Cut an image (C, H, W) into segments: each pixel's number, (H, W), from 0 without a gap.

    `kind` is one of `SEGMENTS`; there are `tiles` per side, or fewer where there are fewer pixels.

    Raises:
        MissingExtraError: Superpixels are asked for without scikit-image.
        AttributionError: They are asked for of a signal.

    >>> segment(torch.zeros(1, 4, 4), "grid", 2).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    """
    size = image.shape[1:]
    if kind == "slic":
        return _superpixels(image, tiles ** len(size))
    numbers = torch.zeros((), dtype=torch.int64, device=image.device)
    for side in size:  # each axis cuts what those before it have left
        along = min(tiles, side)
        parts = torch.arange(side, device=image.device) * along // side
        numbers = numbers[..., None] * along + parts
    return numbers


def load_slic() -> Callable[..., NDArray[np.int64]]:
    """Import what makes superpixels, or raise a `MissingExtraError`."""
    package = import_extra("skimage.segmentation", "scikit-image", "samples")
    found: Callable[..., NDArray[np.int64]] = package.slic
    return found


def _superpixels(image: Tensor, count: int) -> Tensor:
    if image.ndim == 2:
        raise AttributionError(
            "Superpixels are of images and volumes; a signal is cut into equal parts: "
            "segments='grid'."
        )
    slic = load_slic()
    low, high = image.min(), image.max()
    pixels = ((image - low) / (high - low).clamp_min(1e-12)).movedim(0, -1)
    labels = slic(pixels.cpu().double().numpy(), n_segments=count, start_label=0, channel_axis=-1)
    numbers: Tensor = torch.unique(torch.from_numpy(labels), return_inverse=True)[1]
    return numbers.to(image.device)
