"""A sensible layer for the feature bottleneck of any classifier of images."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.modality.layouts import Axes, Layout, Size
from input_iba.modality.vision_wrapping import layouts_of

REDUCTION = 16
"""How many times smaller than the input the map of the chosen layer is, where nothing is known."""

HEADS = ("classifier", "fc", "head", "heads", "last_linear", "head_drop")
"""Beginnings of the names of layers that classify."""

DEPTH = 2 / 3
"""Share of a transformer's blocks before the chosen layer."""

STAGES = ("layer1", "layer2", "layer3", "layer4")
"""Names of the stages of a residual network, wherever it comes from."""

Found = Mapping[str, tuple[Layout, Size]]
"""By name of a layer that is called once: how its features lie, and the size of their maps."""


def choose_image_layer(model: nn.Module, example: Tensor) -> str:
    """Return the name of a layer to put the feature bottleneck at.

    Of VGG and of residual networks it is the one at an eighth of the input's resolution that Schulz
    et al. 2020 took; of a transformer the block two thirds up; of any other network the last layer,
    at the uppermost level of names, whose map is nearest to a sixteenth of the input's height. Only
    layers are taken whose features change where the image does.

    Args:
        model: With any weights.
        example: An image, (1, C, H, W), on the model's device.

    Raises:
        ConfigError: No layer puts out a map.
    """
    known = published_layer(model)
    if known is not None:
        return known
    found = layouts_of(model, example)
    layer = _block(found) or _by_reduction(found, example.shape[2])
    if layer is None:
        raise ConfigError(
            f"No layer of {type(model).__name__} puts out a map, so none can be chosen. Give the "
            "name of one (layer=, or --layer); 'input-iba layers' lists all."
        )
    return layer


def published_layer(model: nn.Module) -> str | None:
    """Return the layer that Schulz et al. 2020 took in a network of this kind; else None.

    It is the first convolution of VGG's fourth block, and the end of a residual network's second
    stage.
    """
    features = getattr(model, "features", None)
    if isinstance(features, nn.Sequential) and isinstance(
        getattr(model, "classifier", None), nn.Sequential
    ):
        kinds = [type(module) for module in features]
        pools = [i for i, kind in enumerate(kinds) if kind is nn.MaxPool2d]
        plain = {nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.BatchNorm2d}
        if set(kinds) <= plain and len(pools) == 5:
            return f"features.{pools[2] + 1}"
    stages = [isinstance(getattr(model, name, None), nn.Module) for name in STAGES]
    return STAGES[1] if all(stages) and hasattr(model, "conv1") else None


def _block(found: Found) -> str | None:
    """Return a transformer's block: of modules named by number that put out tokens of patches."""
    stacks: dict[tuple[str, Size], list[str]] = {}
    for name, (layout, size) in found.items():
        stack = re.fullmatch(r"(.*\D)\d+", name)
        if stack and not isinstance(layout, Axes):
            stacks.setdefault((stack[1], size), []).append(name)
    deepest = max(stacks.values(), key=len, default=[])
    return deepest[round(DEPTH * len(deepest))] if len(deepest) > 3 else None


def _by_reduction(found: Found, height: int) -> str | None:
    distances = {
        name: abs(math.log2(height / size[0] / REDUCTION))
        for name, (_, size) in found.items()
        if min(size) > 1 and name.partition(".")[0] not in HEADS
    }
    nearest = [name for name in distances if distances[name] < min(distances.values()) + 0.2]
    level = min((name.count(".") for name in nearest), default=0)
    return next((name for name in reversed(nearest) if name.count(".") == level), None)
