"""Photographs without a config: what they need is made of a model's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from input_iba import models
from input_iba.config.load import RunConfig, load_config
from input_iba.core.hooks import find_layer
from input_iba.datasets import PictureFiles
from input_iba.datasets.class_index import (
    IMAGENET,
    classes_of_file,
    find_targets,
    imagenet_classes,
    named_classes,
)
from input_iba.errors import CheckpointError, ConfigError
from input_iba.modality.layer_choice import choose_layer
from input_iba.models.named import DEFAULT_MODEL, NamedModel, named_model

CROPS = 200
"""Crops of the packaged photographs that the statistics of the layer come from."""

AT_ONCE = 4
"""Photographs that are explained at once."""

GRID, LONGEST = 32, 2.0
"""Whole photographs: their sides are multiples of the first, the longer one at most twice the
shorter."""


@dataclass(frozen=True)
class Photographs:
    """What is to be explained, by which classifier.

    Attributes:
        files: The photographs.
        model: Name of the classifier, see `named_model`.
        layer: Layer of the feature bottleneck, or None for one that suits the classifier.
        targets: Class names, indices or WordNet ids; none for the predicted class.
        weights: Checkpoint, or name of torchvision's weights; None for the published ones.
        classes: JSON file with the classes of a checkpoint of one's own.
        whole: Show the network all of the photograph, not the square in its middle.
    """

    files: Sequence[Path]
    model: str = DEFAULT_MODEL
    layer: str | None = None
    targets: Sequence[str] = ()
    weights: str | None = None
    classes: Path | None = None
    whole: bool = False

    @property
    def name(self) -> Path:
        """Return what stands in place of a config's file: in messages, and for the work directory.

        >>> Photographs([Path("a/cat.jpg"), Path("dog.png")]).name
        PosixPath('cat_and_1_more')
        """
        first = Path(self.files[0].name)
        more = len(self.files) - 1
        return Path(f"{first.stem}_and_{more}_more") if more else first


def photographs_config(
    asked: Photographs, overrides: Mapping[str, Any], preset: str | None
) -> RunConfig:
    """Return the config of a run that explains photographs.

    Args:
        asked: What is to be explained.
        overrides: From dotted keys to values, as `--cfg-options` gives them.
        preset: Parameters of the method; None for 'fast'.

    Raises:
        ConfigError: Model, layer or class is unknown.
        DataError: A photograph is missing, or is none.
        CheckpointError: The weights cannot be had; says what can be done.
    """
    model = named_model(asked.model, asked.weights)
    shapes = {_shape(size, model, asked.whole) for size in _sizes(asked.files)}
    if len(shapes) > 1:
        raise ConfigError(
            "--whole explains photographs of one shape together; got "
            f"{', '.join(f'{w}×{h}' for h, w in sorted(shapes))} pixels. Explain them one by one, "
            "or leave out --whole."
        )
    classifier_cfg, classes = _classifier(asked, model)
    find_targets(named_classes(classes), asked.targets)  # before weights are downloaded
    classifier = _built(classifier_cfg, asked)
    layer = asked.layer or choose_layer(classifier, model.size)
    find_layer(classifier, layer)
    [shape] = shapes
    _check(classifier, shape, asked, classes)
    content = {
        "data": _data(asked, model, shape, classes),
        "attributor": {"layer": layer, "classifier": classifier_cfg},
    }
    # Not in `content`, which would be told to count against a preset.
    options = {"estimation_cfg.n_samples": CROPS, **overrides}
    return load_config(asked.name, options, preset or "fast", content)


def model_config(name: str, overrides: Mapping[str, Any]) -> RunConfig:
    """Return a config with a model and the layer chosen for it, to list its layers with.

    Raises:
        ConfigError: There is no such model.
    """
    model = named_model(name)
    cfg = {"source": model.source, "type": model.type, "pretrained": False}
    layer = choose_layer(models.build_classifier(cfg), model.size)
    nothing = Photographs([Path(name)], name)
    content = {
        "data": _data(nothing, model, (model.size, model.size), None),
        "attributor": {"layer": layer, "classifier": cfg},
    }
    return load_config(Path(name), overrides, "fast", content)


def _sizes(files: Sequence[Path]) -> list[tuple[int, int]]:
    """Return width and height of every photograph; each of them is read, so that none is bad."""
    dataset = PictureFiles(files, [])
    return [dataset.read(index)[0].size for index in range(len(dataset))]


def _shape(size: tuple[int, int], model: NamedModel, whole: bool) -> tuple[int, int]:
    """Return height and width of the input for a photograph of some width and height."""
    if not whole:
        return model.size, model.size
    ratio = min(max(size) / min(size), LONGEST)
    longer = max(round(model.size * ratio / GRID) * GRID, model.size)
    return (model.size, longer) if size[0] >= size[1] else (longer, model.size)


def _classifier(asked: Photographs, model: NamedModel) -> tuple[dict[str, Any], str | None]:
    """Return the classifier's config, and the key `classes` of its data set."""
    cfg = {"source": model.source, "type": model.type, "pretrained": asked.weights or True}
    if asked.classes is None:
        return cfg, IMAGENET if model.num_classes == len(imagenet_classes().names) else None
    count = len(classes_of_file(asked.classes).names)
    return {**cfg, **({"num_classes": count} if asked.weights else {})}, str(asked.classes)


def _built(cfg: Mapping[str, Any], asked: Photographs) -> nn.Module:
    """Build the classifier with its weights.

    Raises:
        CheckpointError: They cannot be had; says what can be done.
    """
    try:
        return models.build_classifier(cfg)
    except (CheckpointError, ConfigError) as error:
        remedy = (
            "A file of its weights can be given as --weights FILE"
            if asked.weights is None
            else f"--weights '{asked.weights}' does not do for --model {asked.model}"
        )
        raise type(error)(
            f"{error}\n{remedy}; --model {DEFAULT_MODEL} needs neither file nor network."
        ) from error


def _check(
    classifier: nn.Module, shape: tuple[int, int], asked: Photographs, classes: str | None
) -> None:
    """Refuse inputs that the classifier does not take, and targets that it does not have.

    Raises:
        ConfigError: Says which.
    """
    try:
        with torch.no_grad():
            logits: torch.Tensor = classifier(torch.zeros(1, 3, *shape))
    except (RuntimeError, AssertionError, ValueError) as error:
        if not asked.whole:
            raise
        raise ConfigError(
            f"Model {asked.model!r} does not take inputs of {shape[1]}×{shape[0]} pixels "
            f"({error}). Leave out --whole."
        ) from error
    count = logits.shape[1]
    wrong = [i for i in find_targets(named_classes(classes), asked.targets) if i >= count]
    if wrong:
        raise ConfigError(f"Target {wrong[0]}: class indices go from 0 to {count - 1}.")


def _data(
    asked: Photographs, model: NamedModel, shape: tuple[int, int], classes: str | None
) -> dict[str, Any]:
    height, width = shape
    ending = [
        {"type": "Normalize", "mean": list(model.mean), "std": list(model.std)},
        {"type": "ToTensorV2"},
    ]
    scaled = {"type": "Resize", "height": height, "width": width}
    targets = [int(target) if target.isdecimal() else target for target in asked.targets]
    return {
        "data_loader": {"batch_size": AT_ONCE, "shuffle": True, "num_workers": 0},
        "estimation": {"type": "SampleCrops", "n": CROPS, "pipeline": [scaled, *ending]},
        "attribution": {
            "type": "PictureFiles",
            "files": [str(file) for file in asked.files],
            "targets": targets,
            "classes": classes,
            "pipeline": [*_view(model, shape, asked.whole), *ending],
        },
    }


def _view(model: NamedModel, shape: tuple[int, int], whole: bool) -> list[dict[str, Any]]:
    """Return the transforms that make a photograph as large as the input."""
    height, width = shape
    how = {"interpolation": model.interpolation}
    if whole:
        return [{"type": "Resize", "height": height, "width": width, **how}]
    return [
        {"type": "SmallestMaxSize", "max_size": model.shorter, **how},
        {"type": "CenterCrop", "height": height, "width": width},
    ]
