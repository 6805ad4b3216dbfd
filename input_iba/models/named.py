"""ImageNet classifiers by name alone: where they come from, and how their images are prepared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torchvision

from input_iba.errors import ConfigError, MissingExtraError, closest
from input_iba.models.build import torchvision_weights
from input_iba.models.efficientnet_lite import TYPES
from input_iba.models.prepared import NamedModel, named_folder

DEFAULT_MODEL = "efficientnet_lite0"
"""Its weights come in a package, so it needs no network."""

LITE_SIZES = dict(zip(TYPES, (224, 240, 260, 280, 300), strict=True))
"""Height and width of the inputs that EfficientNet-Lite was trained on."""

SOURCES = ("efficientnet_lite", "torchvision", "timm")


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
    if Path(name).is_file():
        raise ConfigError(
            f"Model {name!r} is a file, and a file of weights does not say what network they are "
            "of. Give the network's name and the file: --model resnet18 --weights FILE. From "
            "Python build the network, and load them with load_state_dict."
        )
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
