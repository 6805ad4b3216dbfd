"""Give layers of a borrowed model new random weights, one after the other, and take them back."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager

import torch
from torch import nn

from input_iba.core.hooks import find_layer
from input_iba.errors import EvaluationError, closest


def layers_from_the_top(model: nn.Module) -> list[str]:
    """Return the names of all modules with weights of their own, the last one first.

    The last module is the top one where modules are registered in the order in which they are
    called, as they are in nearly every network.

    >>> layers_from_the_top(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.BatchNorm2d(2)))
    ['2', '0']
    """
    names = [name for name, module in model.named_modules() if name and _has_weights(module)]
    return names[::-1]


@contextmanager
def cascade(model: nn.Module, layers: Sequence[str], seed: int = 0) -> Iterator[Iterator[str]]:
    """Lend an iterator that re-initialises one more layer at every step and says which.

    A layer stands for all that is in it, so that the name of a block re-initialises the block.
    Modules initialise themselves as they do when they are made (`reset_parameters`), norms with
    their running statistics included; parameters that this leaves as they were, because their
    module cannot do it, are shuffled. The new weights of a layer depend on seed and name alone.

    Parameters and buffers have their own values and identity back at the end, also after an
    exception. `grad`, `requires_grad` and the caller's random numbers are never touched.

    Raises:
        LayerNotFoundError: The model has no such layer.
        EvaluationError: A layer has no parameters, is listed twice, or cannot re-initialise
            itself.

    References:
        Adebayo et al. 2018, "Sanity checks for saliency maps" (arXiv 1810.03292), section 3.1.

    >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> with cascade(net, ["2", "0"]) as steps:
    ...     for layer in steps:
    ...         print(layer)
    2
    0
    """
    chosen = _checked(model, layers)

    def steps() -> Generator[str, None, None]:
        for layer, parts in chosen.items():
            for name, module in parts.items():
                _reinitialise(module, name, seed)
            yield layer

    modules = (module for parts in chosen.values() for module in parts.values())
    # Closed in the end: whoever still holds it cannot change the model any more.
    with _kept(modules), closing(steps()) as iterator:
        yield iterator


def _checked(model: nn.Module, layers: Sequence[str]) -> dict[str, dict[str, nn.Module]]:
    """Return which modules each layer holds that have weights of their own, by full name."""
    chosen: dict[str, dict[str, nn.Module]] = {}
    for layer in layers:
        module = find_layer(model, layer)
        named = module.named_modules(prefix=layer)
        parts = {name: part for name, part in named if _has_weights(part)}
        if not parts:
            known = layers_from_the_top(model)
            raise EvaluationError(
                f"Layer {layer!r} ({type(module).__name__}) has no parameters that could be "
                f"re-initialised.{closest(layer, known)} Layers with parameters: "
                f"{', '.join(known[:12])}{' …' if len(known) > 12 else ''}."
            )
        if layer in chosen:
            raise EvaluationError(f"Layer {layer!r} is listed twice. Remove one of the two.")
        chosen[layer] = parts
    if not chosen:
        raise EvaluationError(f"No layers to re-initialise in {type(model).__name__}: name some.")
    return chosen


def _has_weights(module: nn.Module) -> bool:
    """Return whether there is anything to re-initialise; norms without weights have statistics."""
    if list(module.parameters(recurse=False)):
        return True
    reset = getattr(module, "reset_parameters", None)
    return bool(list(module.buffers(recurse=False))) and callable(reset)


@contextmanager
def _kept(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Give modules their parameters and buffers back, as objects and as values."""
    # Deeper modules too: a reset_parameters may reach into those that it is made of.
    parts = {id(part): part for module in modules for part in module.modules()}
    slots = [
        (table, name, value, value.detach().clone())
        for part in parts.values()
        for table in (part._parameters, part._buffers)
        for name, value in table.items()
        if value is not None
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for table, name, value, copied in slots:
                value.copy_(copied)
                table[name] = value  # type: ignore[assignment]


@torch.no_grad()
def _reinitialise(module: nn.Module, name: str, seed: int) -> None:
    """Give one module new parameters, in place."""
    own = module.named_parameters(recurse=False)
    before = {key: value.detach().clone() for key, value in own}
    number = zlib.crc32(f"{seed}/{name}".encode())
    devices = sorted({value.device.index or 0 for value in before.values() if value.is_cuda})
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(number)
        for device in devices:
            torch.cuda.default_generators[device].manual_seed(number)
        if callable(reset := getattr(module, "reset_parameters", None)):
            try:
                reset()
            except (TypeError, NotImplementedError) as error:
                raise EvaluationError(
                    f"Layer {name!r} ({type(module).__name__}) cannot re-initialise itself: "
                    f"reset_parameters() failed with {type(error).__name__}: {error}. Leave the "
                    "layer out, or give its class a reset_parameters() without arguments."
                ) from error
        for key, value in module.named_parameters(recurse=False):
            if torch.equal(value, before[key]):  # equal ones, such as fresh norms', stay equal
                order = torch.randperm(value.numel()).to(value.device)
                value.copy_(value.flatten()[order].view_as(value))
