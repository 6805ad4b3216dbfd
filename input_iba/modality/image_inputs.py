"""Inputs as a caller has them: tensors, batches of a loader, images with a transform."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor

from input_iba.errors import DataError
from input_iba.modality.base import Modality
from input_iba.modality.vision import VisionModality
from input_iba.records import ImageSample, Sample

Transform = Callable[[Image], Tensor]
"""Makes a normalised tensor (C, H, W) of an image."""

KEYS = ("pixel_values", "input_ids", "image", "text", "input", "x")
"""Names of the inputs in dicts, before which labels and masks may stand."""

AT_ONCE = 16
"""Samples per forward pass, which does not change the statistics."""


class Inputs(ABC):
    """How a caller's inputs are read, and of what kind they are."""

    modality: Modality

    @abstractmethod
    def read(self, data: Any) -> tuple[Tensor, Sequence[Sample | None]]:
        """Return inputs (S, …), and what there is to look at beside each map.

        Raises:
            DataError: The data are something else.
        """

    @abstractmethod
    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield batches (B, …) of inputs, a loader, a data set or a list.

        Inputs may stand alone, or before labels in tuples and dicts.
        """


class ImageInputs(Inputs):
    """Images: (S, C, H, W), one (C, H, W), of PIL with a transform, or a list of them."""

    def __init__(self, transform: Transform | None = None) -> None:
        self.transform = transform
        self.modality = VisionModality()

    def read(self, data: Any) -> tuple[Tensor, Sequence[Sample | None]]:
        """Return images (S, C, H, W) and, of those of PIL, what to look at."""
        if isinstance(data, Tensor):
            batch = data[None] if data.ndim == 3 else data
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
            if isinstance(image, Tensor) and image.ndim == 4:
                yield from torch.split(image, AT_ONCE)
            else:
                yield self._one(image)[0][None]

    def _one(self, item: Any) -> tuple[Tensor, Sample | None]:
        if isinstance(item, Tensor) and item.ndim == 3:
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
        raise DataError(
            f"Expected images (C, H, W), batches (B, C, H, W) or images of PIL; got {got}."
        )


def first_of(item: Any) -> Any:
    """Return the inputs in what a loader or a data set yields."""
    if isinstance(item, Mapping):
        known = next((key for key in KEYS if key in item), None)
        return next(iter(item.values())) if known is None else item[known]
    return item[0] if isinstance(item, list | tuple) else item


def _look(given: Image, image: Tensor) -> Sample | None:
    """Return an image at the size of its input, where the transform kept its proportions."""
    height, width = image.shape[1:]
    if abs(given.width * height - given.height * width) > max(given.size):
        return None
    pixels = np.asarray(given.convert("RGB").resize((width, height)))
    return ImageSample("", image, image=torch.from_numpy(pixels.copy()).permute(2, 0, 1))
