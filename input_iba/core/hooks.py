"""Finding layers of a model, listing them, and reading or rewriting what they put out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.explainable import bare
from input_iba.core.modes import frozen
from input_iba.core.tokens import Behind
from input_iba.errors import AttributionError, ConfigError, LayerNotFoundError, closest

Rewrite = Callable[[Any], Any]


def find_layer(model: nn.Module, name: str) -> nn.Module:
    """Return the module that `model.named_modules()` knows as `name`.

    Raises:
        LayerNotFoundError: There is none; names the closest.
    """
    # By the names that the network has within what parallelises or compiles it, too.
    modules: dict[str, nn.Module] = dict(bare(model).named_modules()) | dict(model.named_modules())
    modules.pop("", None)
    if name not in modules:
        raise LayerNotFoundError(
            f"Layer {name!r} not found in {type(model).__name__}.{closest(name, modules)} "
            f"'input-iba layers' with --model NAME or a CONFIG lists all {len(modules)}, and so "
            "does model.named_modules()."
        )
    return modules[name]


def unwrap(output: Any) -> Tensor:
    """Return the tensor in a module's output: itself, or the first in a tuple, list or dict.

    Raises:
        AttributionError: There is no tensor in it.

    >>> unwrap((torch.ones(1), "state"))
    tensor([1.])
    """
    if isinstance(output, Tensor):
        return output
    place = _place(output)
    if place is not None:
        found: Tensor = output[place]
        return found
    raise AttributionError(
        f"The layer puts out {type(output).__name__}; expected a tensor, or a tuple, list or dict "
        "that holds one. Choose another layer."
    )


def rewrap(output: Any, value: Tensor) -> Any:
    """Put `value` where `unwrap` found its tensor, and keep the rest of the output.

    >>> rewrap((torch.ones(1), "state"), torch.zeros(1))
    (tensor([0.]), 'state')
    """
    if isinstance(output, Tensor):
        return value
    place = _place(output)
    if isinstance(output, Mapping):
        again: Any = copy.copy(output)  # of its own type, such as a ModelOutput
        again[place] = value
        return again
    items = list(output)
    items[place] = value
    if hasattr(output, "_make"):
        return output._make(items)
    return type(output)(items)


def _place(output: Any) -> Any:
    """Return the index or key of the first tensor in a tuple, list or dict; None without one."""
    items: Any = ()
    if isinstance(output, Mapping):
        items = output.items()
    elif isinstance(output, tuple | list):
        items = enumerate(output)
    return next((place for place, item in items if isinstance(item, Tensor)), None)


Read = Callable[[Tensor, Behind], Any]
"""Runs a classifier on inputs (B, …) up to a layer and returns what flows there."""


class Wrapping:
    """How features lie in what flows at a layer: the tensor itself, or the first one in it."""

    def settle(self, read: Read, inputs: Tensor, tokens: Behind) -> None:
        """Find out how the features lie, from the inputs (B, …) of the coming pass; once is enough.

        Raises:
            AttributionError: It cannot be told.
        """

    def unwrap(self, output: Any, inputs: Tensor) -> Tensor:
        """Take the features (B, …) out of what flows at the layer for inputs (B, …)."""
        return unwrap(output)

    def rewrap(self, output: Any, value: Tensor, inputs: Tensor) -> Any:
        """Put other features in their place."""
        return rewrap(output, value)


@contextmanager
def hooked(module: nn.Module, rewrite: Rewrite, side: str = "output") -> Iterator[None]:
    """Replace by `rewrite` what comes out of a module, or goes into it where `side` is 'input'.

    `rewrite` gets the output (or the positional input when there is one, else their tuple).

    Raises:
        ConfigError: `side` is neither 'output' nor 'input'.
    """
    if side == "output":
        handle = module.register_forward_hook(lambda _module, _args, output: rewrite(output))
    elif side == "input":
        handle = module.register_forward_pre_hook(
            lambda _module, args: (rewrite(args[0]),) if len(args) == 1 else rewrite(args)
        )
    else:
        raise ConfigError(f"input_or_output must be 'input' or 'output', got {side!r}.")
    try:
        yield
    finally:
        handle.remove()


def layer_shapes(
    model: nn.Module, example: Tensor, run: Callable[[Tensor], Any] | None = None
) -> dict[str, list[tuple[int, ...]]]:
    """List what every module puts out on one input (1, …), in the order of the first call.

    Returns:
        Layer name to one output shape per call, without the batch dimension. Modules that are
        called several times have several shapes; those that put out no tensor have empty ones.
    """
    shapes: dict[str, list[tuple[int, ...]]] = {}

    def note(name: str, output: Any) -> Any:
        try:
            shape = tuple(unwrap(output).shape[1:])
        except AttributionError:
            shape = ()
        shapes.setdefault(name, []).append(shape)
        return output

    with ExitStack() as stack, torch.no_grad():
        stack.enter_context(frozen(model))
        for name, module in model.named_modules():
            if name:
                stack.enter_context(hooked(module, partial(note, name)))
        (run or model)(example.clone())
    return shapes
