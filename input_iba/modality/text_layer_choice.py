"""A sensible layer for the feature bottleneck of any transformer that reads text."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.classifier import Classifier
from input_iba.core.hooks import layer_shapes, unwrap
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
    deciding = _deciding(modality, classifier, ids, called_once)
    stacks: dict[str, list[str]] = {}
    for name in called_once:
        stack = re.fullmatch(r"(.*\.|)\d+", name)
        if stack:
            stacks.setdefault(stack[1], []).append(name)
    deepest = max(stacks.values(), key=len, default=[])
    middle = len(deepest) // 2
    blocks = sorted(range(len(deepest)), key=lambda place: (abs(place - middle), place))
    for place in blocks:
        if deepest[place] in deciding:
            return deepest[place]
    level = min((name.count(".") for name in deciding), default=0)
    for name in reversed(deciding):
        if name.count(".") == level:
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


def _deciding(
    modality: TextModality, classifier: nn.Module, ids: Tensor, names: list[str]
) -> list[str]:
    """Return the layers whose vectors of words change the logits."""
    runner = Classifier(classifier, run=modality.run)
    inputs, tokens = modality.enter(classifier, ids)
    places, found = modality.layer_places(classifier, ids), dict[str, Tensor]()

    def noting(name: str) -> Any:
        return lambda _module, _args, output: found.update({name: unwrap(output)})

    with runner.frozen(), torch.enable_grad(), ExitStack() as stack:
        for name in names:
            hook = classifier.get_submodule(name).register_forward_hook(noting(name))
            stack.enter_context(hook)
        logits = runner.logits(inputs.clone().requires_grad_(), tokens)
        known = {name: values for name, values in found.items() if values.requires_grad}
        slopes = torch.autograd.grad(logits[:, 0].sum(), list(known.values()), allow_unused=True)
    return [
        name
        for name, slope in zip(known, slopes, strict=True)
        if slope is not None and bool(places[name].take(slope, ids.shape[1])[tokens.scored].any())
    ]
