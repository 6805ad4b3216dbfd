"""A whole data set in memory, as 8-bit pixels: for training small classifiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from input_iba.datasets.pictures import PictureDataset
from input_iba.errors import DataError


def load_pixels(
    dataset: PictureDataset,
    on_sample: Callable[[], object] = lambda: None,
    indices: Sequence[int] | None = None,
) -> tuple[Tensor, Tensor]:
    """Read every sample, or some, once.

    Args:
        dataset: Samples with targets, all of one shape after the pipeline.
        on_sample: Called after each sample, for progress.
        indices: Samples to read; None for all.

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
        if pixels is None:
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
