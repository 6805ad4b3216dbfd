"""List a classifier's layers with what they put out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import get_weight

from input_iba import datasets
from input_iba.config.build import build_classifier
from input_iba.config.load import RunConfig
from input_iba.core.hooks import layer_shapes
from input_iba.errors import ConfigError, DataError


def list_layers(config: RunConfig) -> str:
    """Return a table: name, output shape without the batch, remarks; the chosen one marked.

    Raises:
        ConfigError: The size of the input is neither in the data nor in the config.
    """
    # Shapes do not depend on weights, which may have to be downloaded or trained first.
    untrained = {**config.classifier, "pretrained": False}
    classifier = build_classifier(replace(config, classifier=untrained))
    kinds = {name: type(module).__name__ for name, module in classifier.named_modules()}
    modality = config.kind.modality(classifier)
    inputs, tokens = modality.enter(classifier, _example(config, classifier))
    shapes = layer_shapes(classifier, inputs, lambda x: modality.run(classifier, x, tokens))
    cells = [("layer", "module", "output", "")]
    for name, outputs in shapes.items():
        shape = "×".join(map(str, outputs[0])) or "no tensor"
        cells.append((name, kinds[name], shape, _remarks(name, outputs, config)))
    unused = [name for name in kinds if name and name not in shapes]
    cells += [(name, kinds[name], "–", "not called") for name in unused]
    widths = [max(len(row[i]) for row in cells) for i in range(3)]
    return "\n".join(
        "  ".join([*(row[i].ljust(widths[i]) for i in range(3)), row[3]]).rstrip() for row in cells
    )


def _remarks(name: str, outputs: Sequence[tuple[int, ...]], config: RunConfig) -> str:
    remarks = []
    if name == config.layer:
        remarks.append("<- attributor.layer")
    if len(outputs) > 1:
        remarks.append(f"called {len(outputs)} times: cannot be chosen")
    elif len(outputs[0]) not in config.kind.map_dims:
        remarks.append("no map: cannot be chosen")
    return ", ".join(remarks)


def _example(config: RunConfig, classifier: nn.Module) -> Tensor:
    """Return one input: a sample where there are data, else noise of its size, or eight tokens."""
    for data in (config.attribution_data, config.estimation_data):
        try:
            dataset = config.kind.readable(classifier, datasets.build_dataset(data))
            example: Tensor = dataset[0].input[None]
        except (DataError, IndexError):
            continue
        return example
    if config.kind.name == "texts":
        return torch.full((1, 8), 2)
    size = _size(config.attribution_data) or _size(config.estimation_data)
    if size is None:
        raise ConfigError(
            f"The size of the input is not known: no sample of '{config.path}' can be read, and "
            "no 'Resize' with height and width is in its pipeline. Provide the data."
        )
    channels = config.attribution_data.get("channels", 3)
    return torch.randn(1, channels, *size)


def _size(data: Mapping[str, Any]) -> tuple[int, int] | None:
    sizes = []
    for step in data.get("pipeline") or []:
        if isinstance(step, Mapping) and {"height", "width"} <= set(step):
            sizes.append((step["height"], step["width"]))
        elif isinstance(step, Mapping) and step.get("type") == "TorchvisionPreset":
            side = get_weight(step["weights"]).transforms().crop_size[0]
            sizes.append((side, side))
    return sizes[-1] if sizes else None
