"""Images, signals and volumes as a caller has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor, nn

from input_iba.errors import DataError
from input_iba.modality.axes import KINDS, axes_named
from input_iba.modality.inputs import AT_ONCE, Inputs, first_of
from input_iba.modality.nearly import what_to_do
from input_iba.modality.vision import VisionModality
from input_iba.records import ImageSample, Sample

Transform = Callable[[Image], Tensor]
"""Makes a normalised tensor (C, H, W) of an image."""


class ImageInputs(Inputs):
    """Images: (S, C, H, W), one (C, H, W), of PIL with a transform, or a list of them.

    Where the model convolves over one dimension or three, they are signals (C, T), or volumes
    (C, D, H, W); see `VisionModality.dims_of`.
    """

    def __init__(
        self, model: nn.Module, transform: Transform | None, modality: VisionModality
    ) -> None:
        self.transform = transform
        self.modality = modality
        self._of_one = modality.dims_of(model) + 1

    def read(self, data: Any) -> tuple[Tensor, Sequence[Sample | None]]:
        """Return images (S, C, H, W) and, of those of PIL, what to look at."""
        if isinstance(data, Tensor):
            batch = data[None] if data.ndim == self._of_one else data
            return batch, [None] * len(batch)
        several = data if isinstance(data, list | tuple) else [data]
        made = [self._one(item) for item in several]
        return torch.stack([image for image, _ in made]), [look for _, look in made]

    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield batches (B, C, H, W)."""
        if isinstance(data, Tensor | Image):
            yield from torch.split(self.read(data)[0], AT_ONCE)
            return
        for item in data:
            image = first_of(item)
            if isinstance(image, Tensor) and image.ndim == self._of_one + 1:
                yield from torch.split(image, AT_ONCE)
            else:
                yield self._one(image)[0][None]

    def joined(self, batches: Sequence[Tensor]) -> Tensor:
        """Return images (N, C, H, W) of one size."""
        sizes = sorted({tuple(batch.shape[1:]) for batch in batches})
        if len(sizes) > 1:
            raise DataError(
                f"Explainers learn from inputs of one size; got {len(sizes)}, such as {sizes[0]} "
                f"and {sizes[-1]}. Resize and crop them to one."
            )
        return super().joined(batches)

    def _one(self, item: Any) -> tuple[Tensor, Sample | None]:
        if isinstance(item, Tensor) and item.ndim == self._of_one:
            return item, None
        if isinstance(item, Image):
            if self.transform is None:
                raise DataError(
                    "An image of PIL is given, and nothing that makes a normalised tensor of it. "
                    "Give transform=, such as the transforms() of torchvision's weights."
                )
            image = self.transform(item)
            return image, _look(item, image)
        got = f"{type(item).__name__}" + (f" {tuple(item.shape)}" if hasattr(item, "shape") else "")
        if self._of_one == 3:
            expected = "images (C, H, W), batches (B, C, H, W) or images of PIL"
        else:
            axes = axes_named(self._of_one - 1)
            expected = f"{KINDS[self._of_one - 1]}s ({axes}) or batches (B, {axes})"
        raise DataError(f"Expected {expected}; got {got}.{what_to_do(item)}")


def _look(given: Image, image: Tensor) -> Sample | None:
    """Return an image at the size of its input, where the transform kept its proportions."""
    height, width = image.shape[1:]
    if abs(given.width * height - given.height * width) > max(given.size):
        return None
    pixels = np.asarray(given.convert("RGB").resize((width, height)))
    return ImageSample("", image, image=torch.from_numpy(pixels.copy()).permute(2, 0, 1))
