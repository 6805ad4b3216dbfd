"""Images without a config: what they need is made of a model's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from input_iba import models
from input_iba.commands.explain.given import (
    Given,
    class_lines,
    name_of_all,
    overlay_path,
    refuse_absent,
)
from input_iba.commands.explain.options import ImageOptions
from input_iba.commands.explain.overlays import over_image, seen_part
from input_iba.config.load import RunConfig, load_config
from input_iba.core.classifier import Classifier
from input_iba.core.hooks import find_layer
from input_iba.core.outputs import class_names_of
from input_iba.datasets import PictureFiles
from input_iba.datasets.class_index import (
    IMAGENET,
    classes_of_file,
    find_targets,
    imagenet_classes,
    named_classes,
)
from input_iba.datasets.images import read_image
from input_iba.drawing import heat_of
from input_iba.errors import CheckpointError, ConfigError
from input_iba.modality.layer_choice import choose_layer
from input_iba.models.named import DEFAULT_MODEL, named_model
from input_iba.models.prepared import NamedModel
from input_iba.records import shown_at
from input_iba.results import SampleRecord, StoredFiles, write_image
from input_iba.results.map_files import read_map

GRID, MAX_RATIO = 32, 2.0
"""Of whole images: their sides are multiples of the first, their ratio is at most the second."""

NO_END = 10**9
"""Classes of a network of which it is not known how many there are."""


@dataclass(frozen=True, kw_only=True)
class GivenImages(ImageOptions, Given):
    """Images, and a name of their classifier; see `named_model`."""

    @property
    def name(self) -> Path:
        """Return the name of the first file, and how many more there are."""
        return name_of_all(Path(self.files[0].name), len(self.files))

    @property
    def _model(self) -> str:
        return self.model or DEFAULT_MODEL

    def content(self) -> dict[str, Any]:
        """Return data and attributor as a config has them."""
        model = named_model(self._model, self.weights)
        shape = self._shape(model)
        cfg: dict[str, Any] = {
            "source": model.source,
            "type": model.type,
            "pretrained": self.weights or True,
        }
        classes: str | list[str] | None = None
        if self.classes is not None:
            count, classes = len(classes_of_file(self.classes).names), str(self.classes)
            cfg |= {"num_classes": count} if self.weights else {}
        elif self.weights and (own := models.classes_of_checkpoint(cfg, self.weights)):
            cfg["num_classes"] = own  # of which no names are known
        elif model.num_classes == len(imagenet_classes().names):
            classes = IMAGENET
        if model.num_classes:  # before weights are downloaded
            find_targets(named_classes(classes), self.targets)
        classifier = self._built(cfg)
        classes = classes or list(class_names_of(classifier)) or None
        named = named_classes(classes)
        targets, asked = find_targets(named, self.targets), self.asked(named)
        layer = self.layer or choose_layer(classifier, *model.shape)
        find_layer(classifier, layer)
        refuse_absent(targets, self._count_classes(classifier, shape))
        data = self.images_data(model, shape, classes)
        return {"data": data, "attributor": {"layer": layer, "classifier": cfg}, **asked}

    def shown(self, config: RunConfig, root: Path, record: SampleRecord) -> Iterator[str]:
        """Lay the mask over the image at its own size, and yield its path and its classes."""
        image = read_image(record.path)
        box = seen_part(image.size, config.attribution_data["pipeline"])
        share = (box[2] - box[0]) * (box[3] - box[1]) / (image.width * image.height)
        part = f" (the network saw its middle, {100 * share:.0f} %; --whole: all)"
        yield f"{record.path}{'' if share > 0.995 else part}"
        yield from class_lines(record)
        path = overlay_path(root, record)
        mask = read_map(StoredFiles(root).at(record.map_file)).numpy()
        heat = shown_at(record.held) * heat_of(mask)
        write_image(path, over_image(image, heat, box, config.input_mask.colour_map))
        yield f"  Overlay: {path}"

    def images_data(
        self, model: NamedModel, shape: tuple[int, int], classes: str | Sequence[str] | None
    ) -> dict[str, Any]:
        """Return a config's section `data` for inputs of some height and width."""
        cut = model.crop and not self._keeps(model)
        scaled = {"type": "Resize", "height": shape[0], "width": shape[1]}
        how = {"interpolation": model.interpolation}
        view = [
            {"type": "SmallestMaxSize", "max_size": model.shorter, **how},
            {"type": "CenterCrop", "height": shape[0], "width": shape[1]},
        ]
        ending = [
            {"type": "Normalize", "mean": list(model.mean), "std": list(model.std)},
            {"type": "ToTensorV2"},
        ]
        return self.data(
            {"type": "SampleCrops", "pipeline": [scaled, *ending]},
            {
                "type": "PictureFiles",
                "files": [str(file) for file in self.files],
                "classes": classes,
                "pipeline": [*(view if cut else [{**scaled, **how}]), *ending],
            },
        )

    def _keeps(self, model: NamedModel) -> bool:
        """Return whether the network sees all of an image in its own proportions."""
        return self.whole or model.whole

    def _shape(self, model: NamedModel) -> tuple[int, int]:
        """Return height and width of the inputs; every image is read, so that none is bad."""
        dataset = PictureFiles(self.files, [])
        sizes = {dataset.read(index)[0].size for index in range(len(dataset))}
        whole = self._keeps(model)
        shapes = {_whole(size, model) if whole else model.shape for size in sizes}
        if len(shapes) > 1:
            raise ConfigError(
                "--whole explains images of one shape together; got "
                f"{', '.join(f'{w}×{h}' for h, w in sorted(shapes))} pixels. Explain them one by "
                "one, or leave out --whole."
            )
        [shape] = shapes
        return shape

    def _built(self, cfg: Mapping[str, Any]) -> nn.Module:
        """Build the classifier with its weights, or say what can be done where they are not had."""
        try:
            return models.build_classifier(cfg)
        except (CheckpointError, ConfigError) as error:
            remedy = (
                "A file of its weights can be given as --weights FILE"
                if self.weights is None
                else f"--weights '{self.weights}' does not do for --model {self._model}"
            )
            if self.weights and self.classes:
                remedy += f" with the {cfg['num_classes']} classes of --classes '{self.classes}'"
            raise type(error)(
                f"{error}\n{remedy}; --model {DEFAULT_MODEL} needs neither file nor network."
            ) from error

    def _count_classes(self, classifier: nn.Module, shape: tuple[int, int]) -> int:
        """Return how many classes there are; refuse inputs that the classifier does not take.

        Of a network that tells no classes apart, whatever numbers it puts out.
        """
        runner, zeros = Classifier(classifier), torch.zeros(1, 3, *shape)
        try:
            with torch.no_grad():
                returned = runner.returned(zeros)
        except (RuntimeError, AssertionError, ValueError) as error:
            if not self.whole:
                raise
            raise ConfigError(
                f"Model {self._model!r} does not take inputs of {shape[1]}×{shape[0]} pixels "
                f"({error}). Leave out --whole."
            ) from error
        readable = runner.readable(returned, zeros)
        named = len(class_names_of(classifier))
        return named or (readable.read(returned, zeros).shape[1] if readable is runner else NO_END)


def model_config(name: str, overrides: Mapping[str, Any], pretrained: bool = False) -> RunConfig:
    """Return a config with a model and the layer chosen for it, to list its layers with.

    `pretrained` is whether it has its published weights.

    Raises:
        ConfigError: There is no such model.
    """
    model = named_model(name)
    cfg = {"source": model.source, "type": model.type, "pretrained": False}
    layer = choose_layer(models.build_classifier(cfg), *model.shape)
    cfg["pretrained"] = pretrained
    nothing = GivenImages(files=(Path(name),), model=name)
    imagenet = model.num_classes == len(imagenet_classes().names)
    data = nothing.images_data(model, model.shape, IMAGENET if imagenet else None)
    content = {"data": data, "attributor": {"layer": layer, "classifier": cfg}}
    return load_config(Path(name), overrides, "fast", content)


def _whole(size: tuple[int, int], model: NamedModel) -> tuple[int, int]:
    """Return height and width of the input for a whole image of some width and height."""
    ratio = min(max(size) / min(size), MAX_RATIO)
    longer = max(round(model.size * ratio / GRID) * GRID, model.size)
    return (model.size, longer) if size[0] >= size[1] else (longer, model.size)
