"""How images are prepared for a network, and what makes tensors of them so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor, nn
from torchvision.transforms import v2
from torchvision.transforms.functional import InterpolationMode

from input_iba.models.hub import PROCESSOR, from_place, transformers_package

RESAMPLINGS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""Names of the ways in which images are made smaller, by PIL's numbers."""


@dataclass(frozen=True)
class NamedModel:
    """What a classifier's name stands for.

    Attributes:
        size: Height and width of the inputs, in pixels.
        shorter: Pixels of an image's shorter side before the middle is cut out.
        mean: Of the normalisation, like `std`, for pixels in [0, 1].
        num_classes: Classes that the published weights tell apart; 0 where the weights say it.
        crop: Whether the middle is cut out; else the whole image is squeezed to the size.
        whole: Whether the whole image keeps its proportions, and `size` is its shorter side.
        sides: Height and width of the inputs; None for `size` both.
    """

    source: str
    type: str
    size: int = 224
    shorter: int = 256
    interpolation: str = "bilinear"
    mean: Sequence[float] = (0.485, 0.456, 0.406)
    std: Sequence[float] = (0.229, 0.224, 0.225)
    num_classes: int = 1000
    crop: bool = True
    whole: bool = False
    sides: tuple[int, int] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Return height and width of the inputs, where they do not depend on the image."""
        return self.sides or (self.size, self.size)


def named_folder(place: str) -> NamedModel:
    """Return how images are prepared for a network of `transformers`, by its folder or hub name.

    Raises:
        CheckpointError: There is no preprocessor_config.json.
    """
    load = transformers_package().AutoImageProcessor.from_pretrained
    said = from_place(place, load, PROCESSOR).to_dict()
    size = {key: int(value) for key, value in dict(said.get("size") or {}).items() if value}
    crop = dict(said.get("crop_size") or {}) if said.get("do_center_crop") else {}
    shorter = size.get("shortest_edge") or min(size.values(), default=224)
    side, share = shorter, said.get("crop_pct")
    if crop:
        side = int(min(crop.values()))
    elif share and shorter < WHOLE_FROM:  # ConvNeXt: the middle of something larger
        shorter, crop = int(shorter / share), {"height": shorter}
    normalised = said.get("do_normalize", True)
    return NamedModel(
        "transformers",
        place,
        size=side,
        shorter=shorter,
        interpolation=RESAMPLINGS.get(int(said.get("resample") or 2), "bilinear"),
        mean=list(said["image_mean"]) if normalised else [0.0] * 3,
        std=list(said["image_std"]) if normalised else [1.0] * 3,
        num_classes=0,
        crop=bool(crop),
        whole="longest_edge" in size and not crop,
        sides=_sides(crop or size),
    )


def _sides(said: Mapping[str, int]) -> tuple[int, int] | None:
    """Return height and width, if a processor says both."""
    return (int(said["height"]), int(said["width"])) if {"height", "width"} <= set(said) else None


WHOLE_FROM = 384
"""Pixels per side from which on ConvNeXt's images are not cut."""


def transform_of(named: NamedModel) -> Callable[[Image], Tensor]:
    """Return what makes a normalised tensor (C, H, W) of an image, as a network was trained on."""
    how: dict[str, Any] = {"interpolation": InterpolationMode(named.interpolation)}
    sized: Sequence[nn.Module] = [v2.Resize(named.shape, **how)]
    if named.whole:
        sized = [v2.Resize(named.size, **how)]
    elif named.crop:
        sized = [v2.Resize(named.shorter, **how), v2.CenterCrop(named.shape)]
    made: Callable[[Image], Tensor] = v2.Compose(
        [
            v2.RGB(),
            *sized,
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(list(named.mean), list(named.std)),
        ]
    )
    return made
