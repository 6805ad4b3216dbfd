"""A sensible layer for the feature bottleneck of any classifier of texts."""

from __future__ import annotations

import re

from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.modality.text import TextModality

DEPTH = 1 / 2
"""Share of a transformer's blocks before the chosen layer."""


def choose_text_layer(model: nn.Module, modality: TextModality, example: Tensor) -> str:
    """Return the name of a layer to put the feature bottleneck at.

    Of a recurrent network it is the last recurrent layer, as published; of any other the block
    halfway up the deepest stack of modules, named by number, that keep one vector per token.

    Args:
        model: With any weights.
        modality: How it takes texts.
        example: Token ids, (1, T).

    Raises:
        ConfigError: No layer keeps one vector per token.
    """
    recurrent = [name for name, module in model.named_modules() if isinstance(module, nn.RNNBase)]
    if recurrent:
        last: str = recurrent[-1]
        return last
    stacks: dict[str, list[str]] = {}
    for name in modality.layers_of_tokens(model, example):
        stack = re.fullmatch(r"(.*\D)\d+", name)
        if stack:
            stacks.setdefault(stack[1], []).append(name)
    deepest = max(stacks.values(), key=len, default=[])
    if not deepest:
        raise ConfigError(
            f"No layer of {type(model).__name__} keeps one vector per token, so none can be "
            "chosen. Give the name of one (layer=, or --layer)."
        )
    return deepest[min(round(DEPTH * len(deepest)), len(deepest) - 1)]
