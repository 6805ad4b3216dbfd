"""A sensible layer for the feature bottleneck of any classifier."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping

import torch
from torch import Tensor, nn

from input_iba.core.explainable import working_values
from input_iba.core.hooks import layer_shapes
from input_iba.core.tap import TappedClassifier
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.errors import ConfigError
from input_iba.modality.axes import Size
from input_iba.modality.base import Modality
from input_iba.modality.layouts import Axes, Layout
from input_iba.modality.vision_wrapping import VisionWrapping, layouts_of

REDUCTION = 16
"""How many times smaller than the input the map of the chosen layer is, where nothing is known."""

HEADS = ("classifier", "fc", "head", "heads", "last_linear", "head_drop", "decode_head")
"""Beginnings of the names of layers that classify an image, or its pixels."""

DEPTH = 2 / 3
"""Share of a transformer's blocks before the chosen layer."""

STAGES = ("layer1", "layer2", "layer3", "layer4")
"""Names of the stages of a residual network, wherever it comes from."""

Found = Mapping[str, tuple[Layout, Size]]
"""By name of a layer that is called once: how its features lie, and the size of their maps."""


def choose_layer(classifier: nn.Module, height: int, width: int | None = None) -> str:
    """Return what `choose_image_layer` chooses for RGB images of some size, on the CPU."""
    size, generator = (height, width or height), torch.Generator().manual_seed(0)
    return choose_image_layer(classifier, torch.randn(1, 3, *size, generator=generator))


def choose_image_layer(model: nn.Module, example: Tensor, tokens: Behind = NO_TOKENS) -> str:
    """Return the name of a layer to put the feature bottleneck at, found on an image (1, C, H, W).

    Of VGG and of residual networks it is the one at an eighth of the input's resolution that Schulz
    et al. 2020 took; of a transformer the block two thirds up; of any other network the last layer,
    at the uppermost level of names, whose map is nearest to a sixteenth of the input's height. Only
    layers are taken whose features change where the image does, and that decide.

    Raises:
        ConfigError: No layer puts out a map.
    """
    known = published_layer(model)
    if known is not None:
        return known
    found = layouts_of(model, example, tokens)
    candidates = [*_blocks(found), *_by_reduction(found, _height(example.shape[2:]))]
    if not candidates:
        raise ConfigError(
            f"No layer of {type(model).__name__} puts out a map, so none can be chosen. Give the "
            "name of one (layer=, or --layer); 'input-iba layers' lists all."
        )
    values = working_values(example, model)
    for name in candidates:
        wrapping = VisionWrapping(name, layout=found[name][0])
        if TappedClassifier(model, name, wrapping=wrapping).decides(values, tokens):
            return name
    return candidates[0]  # before it is trained, a head of zeros depends on nothing


def published_layer(model: nn.Module) -> str | None:
    """Return the layer that Schulz et al. 2020 took in a network of this kind; else None.

    It is the first convolution of VGG's fourth block, and the end of a residual network's second
    stage.
    """
    features, head = getattr(model, "features", None), getattr(model, "classifier", None)
    if isinstance(features, nn.Sequential) and isinstance(head, nn.Sequential):
        kinds = [type(module) for module in features]
        pools = [i for i, kind in enumerate(kinds) if kind is nn.MaxPool2d]
        plain = {nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.BatchNorm2d}
        if set(kinds) <= plain and len(pools) == 5:
            return f"features.{pools[2] + 1}"
    stages = [isinstance(getattr(model, name, None), nn.Module) for name in STAGES]
    return STAGES[1] if all(stages) and hasattr(model, "conv1") else None


def _blocks(found: Found) -> list[str]:
    """Return a transformer's blocks, the one two thirds up and then those nearest to it.

    They are modules named by number that put out tokens of patches.
    """
    stacks: dict[tuple[str, Size], list[str]] = {}
    for name, (layout, size) in found.items():
        stack = re.fullmatch(r"(.*\D)\d+", name)
        if stack and not isinstance(layout, Axes):
            stacks.setdefault((stack[1], size), []).append(name)
    deepest = max(stacks.values(), key=len, default=[])
    if len(deepest) <= 3:
        return []
    wanted = round(DEPTH * len(deepest))
    return sorted(deepest, key=lambda name: abs(deepest.index(name) - wanted))


def _by_reduction(found: Found, height: int) -> list[str]:
    """Return layers whose maps have nearly the wanted size, uppermost and late ones first."""
    distances = {
        name: abs(math.log2(height / _height(size) / REDUCTION))
        for name, (_, size) in found.items()
        if min(size[-2:]) > 1 and name.partition(".")[0] not in HEADS
    }
    nearest = [name for name in distances if distances[name] < min(distances.values()) + 0.2]
    late_first = nearest[::-1]
    return sorted(late_first, key=lambda name: name.count("."))


def _height(size: Size) -> int:
    """Return the height of an image or of the slices of a volume; the length of a signal."""
    return size[-2:][0]


def choose_text_layer(
    modality: Modality, classifier: nn.Module, ids: Tensor, keeping: Container[str]
) -> str:
    """Return the name of a layer to put the feature bottleneck at, found on a text (1, T).

    It is the block in the middle of the deepest stack of blocks that keep one vector per token, or
    the one nearest to it whose vectors of words change the logits: of a last block, a classifier
    may read the special token alone. Without a stack it is the last such layer at the uppermost
    level of names. Only layers in `keeping` put out one vector per token.

    Raises:
        ConfigError: No layer will do.
    """
    inputs, tokens = modality.enter(classifier, ids)
    shapes = layer_shapes(classifier, inputs, lambda x: modality.run(classifier, x, tokens))
    called_once = [name for name, calls in shapes.items() if name in keeping and len(calls) == 1]
    stacks: dict[str, list[str]] = {}
    for name in called_once:
        stack = re.fullmatch(r"(.*\.|)\d+", name)
        if stack:
            stacks.setdefault(stack[1], []).append(name)
    deepest = max(stacks.values(), key=len, default=[])
    blocks = sorted(deepest, key=lambda name: abs(deepest.index(name) - len(deepest) // 2))
    late_first = called_once[::-1]
    others = sorted(late_first, key=lambda name: name.count("."))
    for name in (*blocks, *others):
        wrapping = modality.wrapping(classifier, name, "output")
        tapped = TappedClassifier(classifier, name, wrapping=wrapping, run=modality.run)
        if tapped.decides(inputs, tokens):
            return name
    raise ConfigError(
        f"No layer of {type(classifier).__name__} keeps one vector per token on which its answer "
        "depends, so none can be chosen. Give --layer."
    )
