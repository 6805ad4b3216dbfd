"""A sensible layer for the feature bottleneck of any classifier of images."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
from torch import nn

from input_iba.errors import ConfigError
from input_iba.modality.layouts import Axes, Layout, Size
from input_iba.modality.vision_wrapping import layouts_of

KNOWN = (
    (r"efficientnet_lite0", "_blocks.10"),
    # The layers of Schulz et al. 2020: the first convolution of VGG's fourth block, and the end
    # of the second stage of a residual network, both at an eighth of the input's resolution.
    (r"vgg11", "features.11"),
    (r"vgg11_bn|vgg13", "features.15"),
    (r"vgg13_bn", "features.21"),
    (r"vgg16", "features.17"),
    (r"vgg16_bn", "features.24"),
    (r"vgg19", "features.19"),
    (r"vgg19_bn", "features.27"),
    (r"(wide_|se)?resne[x]?t\d.*", "layer2"),
)
"""Layers of families that are known to work, by what the model's name begins with."""

REDUCTION = 16
"""How many times smaller than the input the map of the chosen layer is, where nothing is known."""

HEADS = ("classifier", "fc", "head", "heads", "last_linear", "head_drop")
"""Beginnings of the names of layers that classify."""

DEPTH = 2 / 3
"""Share of a transformer's blocks before the chosen layer."""

Found = Mapping[str, tuple[Layout, Size]]
"""By name of a layer that is called once: how its features lie, and the size of their maps."""


def choose_layer(type_: str, classifier: nn.Module, size: int) -> str:
    """Return the name of a layer to put the feature bottleneck at.

    A known family has its own; of a transformer it is the block two thirds up; of any other network
    the last layer, at the uppermost level of names, whose map is nearest to a sixteenth of the
    input's height. Only layers are taken whose features change where the image does.

    Args:
        type_: Name of the classifier.
        classifier: With any weights, on the CPU.
        size: Height and width of its inputs.

    Raises:
        ConfigError: No layer puts out a map.
    """
    modules = dict(classifier.named_modules())
    for pattern, known in KNOWN:
        if re.fullmatch(pattern, type_.partition(".")[0]) and known in modules:
            return known
    generator = torch.Generator().manual_seed(0)
    found = layouts_of(classifier, torch.randn(1, 3, size, size, generator=generator))
    layer = _block(found) or _by_reduction(found, size)
    if layer is None:
        raise ConfigError(
            f"No layer of {type_!r} puts out a map, so none can be chosen. Give --layer; "
            f"'input-iba layers --model {type_}' lists all."
        )
    return layer


def _block(found: Found) -> str | None:
    """Return a transformer's block: of modules named by number that put out tokens of patches."""
    stacks: dict[tuple[str, Size], list[str]] = {}
    for name, (layout, size) in found.items():
        stack = re.fullmatch(r"(.*\D)\d+", name)
        if stack and not isinstance(layout, Axes):
            stacks.setdefault((stack[1], size), []).append(name)
    deepest = max(stacks.values(), key=len, default=[])
    return deepest[round(DEPTH * len(deepest))] if len(deepest) > 3 else None


def _by_reduction(found: Found, size: int) -> str | None:
    distances = {
        name: abs(math.log2(size / height / REDUCTION))
        for name, (_, (height, width)) in found.items()
        if height == width > 1 and name.partition(".")[0] not in HEADS
    }
    nearest = [name for name in distances if distances[name] < min(distances.values()) + 0.2]
    level = min((name.count(".") for name in nearest), default=0)
    return next((name for name in reversed(nearest) if name.count(".") == level), None)
