"""Make a frozen classifier cheaper for the time of a run, without changing what it computes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from input_iba.core.modes import replaced_forward, same

Read = Callable[[], Tensor]
"""Runs the classifier once and returns what must not change."""

Pair = tuple[nn.Module, _BatchNorm]
"""A layer, and the batch norm that alone reads what the layer puts out."""


def find_pairs(model: nn.Module, run: Callable[[], object]) -> list[Pair]:
    """Find batch norms that read the output of one convolution or linear layer, in one run.

    Whether something else reads it too cannot be seen from outside: `foldable` compares results.
    """
    makers: dict[int, tuple[nn.Module, Tensor, int]] = {}
    calls: Counter[nn.Module] = Counter()
    pairs: list[Pair] = []

    def note_output(module: nn.Module, _args: object, output: object) -> None:
        calls[module] += 1
        if isinstance(output, Tensor):
            # Held, so that the id stays its own; with the count of writes into it.
            makers[id(output)] = (module, output, output._version)

    def note_input(module: nn.Module, args: tuple[object, ...]) -> None:
        calls[module] += 1
        maker = makers.get(id(args[0])) if args else None
        if maker is None or not isinstance(module, _BatchNorm):
            return
        layer, output, version = maker
        if output._version == version:  # no activation in place between the two
            pairs.append((layer, module))

    with ExitStack() as stack, torch.no_grad():
        for module in model.modules():
            if _is_linear(module):
                stack.enter_context(module.register_forward_hook(note_output))
            elif isinstance(module, _BatchNorm) and module.running_mean is not None:
                stack.enter_context(module.register_forward_pre_hook(note_input))
        run()
    return [(layer, norm) for layer, norm in pairs if calls[layer] == calls[norm] == 1]


@contextmanager
def folded(pairs: list[Pair]) -> Iterator[None]:
    """Make each layer do the work of its batch norm, which then passes its input on.

    γ(Wx + b − μ)/√(σ² + ε) + β is one linear map of x. Weights and norms come back afterwards.
    """
    with ExitStack() as stack:
        for layer, norm in pairs:
            weight, bias = _fold(layer, norm)
            stack.enter_context(_parameters(layer, weight=weight, bias=bias))
            stack.enter_context(replaced_forward(norm, lambda value: value))
        yield


@contextmanager
def weights_in(model: nn.Module, dtype: torch.dtype | None) -> Iterator[None]:
    """Hold the weights of convolutions and linear layers in the type that autocast asks for.

    Autocast converts weights that need no gradient anew in every pass. None leaves all as it is.
    """
    with ExitStack() as stack:
        for module in model.modules() if dtype is not None else ():
            if _is_linear(module):
                converted = {
                    name: value.detach().to(dtype)
                    for name, value in module.named_parameters(recurse=False)
                }
                stack.enter_context(_parameters(module, **converted))
        yield


def foldable(model: nn.Module, kept: Sequence[nn.Module], *reads: Read) -> list[Pair]:
    """Return the pairs of a model in eval mode that can be folded without changing `reads`.

    The first of these runs the classifier to its end. Inputs and outputs of modules that are `kept`
    stay what they are.
    """
    pairs = [pair for pair in find_pairs(model, reads[0]) if not set(pair).intersection(kept)]
    if not pairs:
        return []
    with torch.no_grad():
        before = [read() for read in reads]
        with folded(pairs):
            after = [read() for read in reads]
    return pairs if all(map(same, before, after)) else []


def _is_linear(module: nn.Module) -> bool:
    """Return whether a weight is a layer's own parameter with outputs as its first dimension."""
    known = isinstance(module, _ConvNd) and not isinstance(module, _ConvTransposeNd)
    return (known or type(module) is nn.Linear) and module._parameters.get("weight") is not None


def _fold(layer: nn.Module, norm: _BatchNorm) -> tuple[Tensor, Tensor]:
    weight, bias = layer.get_parameter("weight").detach(), layer.bias
    assert norm.running_mean is not None  # find_pairs takes no others
    assert norm.running_var is not None
    scale = (norm.running_var + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.detach()
    shift = -norm.running_mean * scale
    if isinstance(bias, Tensor):
        shift = shift + bias.detach() * scale
    if norm.bias is not None:
        shift = shift + norm.bias.detach()
    rows = scale.view(-1, *[1] * (weight.ndim - 1))
    return (weight * rows).to(weight.dtype), shift.to(weight.dtype)


@contextmanager
def _parameters(module: nn.Module, **values: Tensor) -> Iterator[None]:
    """Put other tensors in the place of a module's parameters."""
    kept = {name: module._parameters[name] for name in values}
    try:
        for name, value in values.items():
            module._parameters[name] = nn.Parameter(value, requires_grad=False)
        yield
    finally:
        module._parameters.update(kept)
