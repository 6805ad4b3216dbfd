"""Images as a caller has them: tensors, batches of a loader, photographs with a transform."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor, nn

from input_iba.errors import DataError
from input_iba.modality import Modality, VisionModality
from input_iba.modality.layer_choice import choose_image_layer
from input_iba.records import Attribution

Transform = Callable[[Image], Tensor]
"""Makes a normalised tensor (C, H, W) of a photograph."""

KEYS = ("pixel_values", "input_ids", "image", "text", "input", "x")
"""Names of the inputs in dicts, before which labels and masks may stand."""

AT_ONCE = 16
"""Samples per forward pass, which does not change the statistics."""


class ImageInputs:
    """How images are read, and what is asked of them.

    Args:
        transform: For photographs; None where only tensors come.
    """

    text = False

    def __init__(self, transform: Transform | None = None) -> None:
        self.transform = transform
        self.modality: Modality = VisionModality()

    def read(self, data: Any) -> tuple[Tensor, list[Tensor | None]]:
        """Return images (S, C, H, W) and, of photographs, what to look at, uint8 (3, H', W').

        Args:
            data: (S, C, H, W), one image (C, H, W), a photograph, or a list of them.

        Raises:
            DataError: It is something else, or a photograph without a transform.
        """
        if isinstance(data, Tensor):
            batch = data[None] if data.ndim == 3 else data
            return batch, [None] * len(batch)
        several = data if isinstance(data, list | tuple) else [data]
        made = [self._one(item) for item in several]
        return torch.stack([image for image, _ in made]), [look for _, look in made]

    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield batches (B, C, H, W) of a tensor, a loader, a data set or a list.

        Samples may be images or photographs, alone, or before labels in tuples and dicts.
        """
        if isinstance(data, Tensor | Image):
            yield from torch.split(self.read(data)[0], AT_ONCE)
            return
        for item in data:
            image = first_of(item)
            if isinstance(image, Tensor) and image.ndim == 4:
                yield from torch.split(image, AT_ONCE)
            else:
                yield self._one(image)[0][None]

    def choose_layer(self, model: nn.Module, example: Tensor) -> str:
        """Return a layer for the feature bottleneck, found on an image (1, C, H, W)."""
        return choose_image_layer(model, example)

    def described(
        self, record: Attribution, look: Tensor | None, class_names: Sequence[str]
    ) -> Attribution:
        """Return a record that shows the photograph, and calls classes by their names."""
        picture = record.picture if look is None else look
        return replace(record, picture=picture, class_names=tuple(class_names))

    def _one(self, item: Any) -> tuple[Tensor, Tensor | None]:
        if isinstance(item, Tensor) and item.ndim == 3:
            return item, None
        if isinstance(item, Image):
            if self.transform is None:
                raise DataError(
                    "A photograph is given, and nothing that makes a normalised tensor of it. Give "
                    "transform=, such as the transforms() of torchvision's weights."
                )
            image = self.transform(item)
            return image, _look(item, image)
        got = f"{type(item).__name__}" + (f" {tuple(item.shape)}" if hasattr(item, "shape") else "")
        raise DataError(
            f"Expected images (C, H, W), batches (B, C, H, W) or photographs; got {got}."
        )


def first_of(item: Any) -> Any:
    """Return the inputs in what a loader or a data set yields."""
    if isinstance(item, Mapping):
        known = next((key for key in KEYS if key in item), None)
        return next(iter(item.values())) if known is None else item[known]
    return item[0] if isinstance(item, list | tuple) else item


def _look(photograph: Image, image: Tensor) -> Tensor | None:
    """Return a photograph at the size of its input, where the transform kept its proportions."""
    height, width = image.shape[1:]
    if abs(photograph.width * height - photograph.height * width) > max(photograph.size):
        return None
    pixels = np.asarray(photograph.convert("RGB").resize((width, height)))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)
