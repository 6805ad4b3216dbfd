"""Segments of an image: square tiles, or superpixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from input_iba.errors import MissingExtraError

SEGMENTS = ("grid", "slic")
"""Ways to cut an image."""


def segment(image: Tensor, kind: str, tiles: int) -> Tensor:
    """Cut an image into segments.

    Args:
        image: (C, H, W).
        kind: One of `SEGMENTS`.
        tiles: Segments per side; fewer where the image has fewer pixels.

    Returns:
        (H, W), int64: the number of each pixel's segment, from 0 without a gap.

    Raises:
        MissingExtraError: Superpixels are asked for without scikit-image.

    >>> segment(torch.zeros(1, 4, 4), "grid", 2).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    """
    height, width = image.shape[-2:]
    if kind == "slic":
        return _superpixels(image, tiles**2)
    down, across = min(tiles, height), min(tiles, width)
    rows = torch.arange(height, device=image.device) * down // height
    columns = torch.arange(width, device=image.device) * across // width
    return rows[:, None] * across + columns


def load_slic() -> Callable[..., NDArray[np.int64]]:
    """Import what makes superpixels.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    try:
        from skimage.segmentation import slic
    except ImportError as error:
        raise MissingExtraError("scikit-image", "samples") from error
    found: Callable[..., NDArray[np.int64]] = slic
    return found


def _superpixels(image: Tensor, count: int) -> Tensor:
    slic = load_slic()
    low, high = image.min(), image.max()
    pixels = ((image - low) / (high - low).clamp_min(1e-12)).permute(1, 2, 0)
    labels = slic(pixels.cpu().double().numpy(), n_segments=count, start_label=0, channel_axis=-1)
    numbers: Tensor = torch.unique(torch.from_numpy(labels), return_inverse=True)[1]
    return numbers.to(image.device)
