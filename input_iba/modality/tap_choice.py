"""The layers that an explainer reads: of images from fine to coarse, of texts from low to high."""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from torch import Tensor, nn

from input_iba.core.head import pooled_tap
from input_iba.core.hooks import layer_shapes
from input_iba.core.tokens import Behind
from input_iba.core.watched import Tap
from input_iba.errors import ConfigError
from input_iba.modality.axes import Size
from input_iba.modality.decoders import FINEST
from input_iba.modality.layer_choice import HEADS
from input_iba.modality.vision_wrapping import layouts_of

MOST = 4
"""Layers that are read at most."""


def image_taps(
    model: nn.Module,
    example: Tensor,
    tokens: Behind,
    run: Callable[[], object],
    read: Tensor | None,
) -> tuple[Tap, ...]:
    """Return layers of maps of different sizes, the coarsest last, found on an image (1, C, H, W).

    Of each size it is the last layer at the uppermost level of names; of a network whose maps all
    have one size, such as a vision transformer, they are layers equally far apart. The coarsest is
    the one whose mean the last linear layer read, (1, D), where there is such a layer.

    Raises:
        ConfigError: No layer puts out a map.
    """
    found = layouts_of(model, example, tokens)
    by_size: dict[Size, list[str]] = {}
    for name, (_, size) in found.items():
        if name.partition(".")[0] not in HEADS and 1 < max(size) <= FINEST:
            by_size.setdefault(size, []).append(name)
    if not by_size:
        raise ConfigError(
            f"No layer of {type(model).__name__} puts out a map, so an explainer has nothing to "
            "read. Give the names of layers (taps=); 'input-iba layers' lists all."
        )
    sizes = sorted(by_size, key=max, reverse=True)[-MOST:]
    if len(sizes) == 1:
        names = _spread(_blocks(by_size[sizes[0]]))
    else:
        names = [_uppermost(by_size[size])[-1] for size in sizes]
    taps = [Tap(name) for name in names]
    pooled = None if read is None else pooled_tap(model, run, read)
    return (*taps[:-1], pooled or taps[-1])


def text_taps(
    model: nn.Module, example: Tensor, run: Callable[[Tensor], object], keeping: Container[str]
) -> tuple[Tap, ...]:
    """Return layers that put out one vector per token, found on embeddings (1, T, E).

    Of a stack of blocks they are equally far apart, the last included. Only layers in `keeping` put
    out one vector per token.

    Raises:
        ConfigError: No layer does.
    """
    shapes = layer_shapes(model, example, run)
    once = [name for name, calls in shapes.items() if name in keeping and len(calls) == 1]
    names = _blocks(once)
    if not names:
        raise ConfigError(
            f"No layer of {type(model).__name__} puts out one vector per token, so an explainer "
            "has nothing to read. Give the names of layers: taps=."
        )
    return tuple(Tap(name) for name in _spread(names))


def _blocks(names: list[str]) -> list[str]:
    """Return modules whose names differ by a number alone; else the uppermost.

    Of several such stacks it is the uppermost, for within a block others may be longer.
    """
    stacks: dict[str, list[str]] = {}
    for name in names:
        if stack := re.fullmatch(r"(.*\D|)\d+", name):
            stacks.setdefault(stack[1], []).append(name)
    several = [stack for stack in stacks.values() if len(stack) > 1]
    if not several:
        return _uppermost(names)
    return max(several, key=lambda stack: (-stack[0].count("."), len(stack)))


def _uppermost(names: list[str]) -> list[str]:
    """Return the names with the fewest dots, in their order."""
    fewest = min((name.count(".") for name in names), default=0)
    return [name for name in names if name.count(".") == fewest]


def _spread(names: list[str]) -> list[str]:
    """Return at most `MOST` of some names, equally far apart, the last included."""
    count = min(MOST, len(names))
    return [names[round((i + 1) * len(names) / count) - 1] for i in range(count)]
