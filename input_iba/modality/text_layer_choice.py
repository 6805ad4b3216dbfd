"""A sensible layer for the feature bottleneck of any transformer that reads text."""

from __future__ import annotations

import re

from torch import Tensor, nn

from input_iba.core.hooks import layer_shapes
from input_iba.core.tap import TappedClassifier
from input_iba.errors import ConfigError
from input_iba.modality.text import TextModality


def choose_text_layer(modality: TextModality, classifier: nn.Module, ids: Tensor) -> str:
    """Return the name of a layer to put the feature bottleneck at.

    It is the block in the middle of the deepest stack of blocks that keep one vector per token, or
    the one nearest to it whose vectors of words change the logits: of a last block, a classifier
    may read the special token alone. Without a stack it is the last such layer at the uppermost
    level of names.

    Args:
        modality: Of the classifier.
        classifier: With any weights, on the CPU.
        ids: A text, (1, T).

    Raises:
        ConfigError: No layer will do.
    """
    called_once = _called_once(modality, classifier, ids)
    stacks: dict[str, list[str]] = {}
    for name in called_once:
        stack = re.fullmatch(r"(.*\.|)\d+", name)
        if stack:
            stacks.setdefault(stack[1], []).append(name)
    deepest = max(stacks.values(), key=len, default=[])
    blocks = sorted(deepest, key=lambda name: abs(deepest.index(name) - len(deepest) // 2))
    late_first = called_once[::-1]
    others = sorted(late_first, key=lambda name: name.count("."))
    inputs, tokens = modality.enter(classifier, ids)
    for name in (*blocks, *others):
        wrapping = modality.wrapping(classifier, name, "output")
        tapped = TappedClassifier(classifier, name, wrapping=wrapping, run=modality.run)
        if tapped.decides(inputs, tokens):
            return name
    raise ConfigError(
        f"No layer of {type(classifier).__name__} keeps one vector per token on which its answer "
        "depends, so none can be chosen. Give --layer."
    )


def _called_once(modality: TextModality, classifier: nn.Module, ids: Tensor) -> list[str]:
    """Return layers with one vector per token that are called once, in the order of the calls."""
    inputs, tokens = modality.enter(classifier, ids)
    shapes = layer_shapes(classifier, inputs, lambda x: modality.run(classifier, x, tokens))
    places = modality.layer_places(classifier, ids)
    return [name for name, calls in shapes.items() if name in places and len(calls) == 1]
