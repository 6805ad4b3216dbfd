"""Activations as methods that rewrite their gradients need them: one module for every call.

Hooks on activations go wrong where one works in place, is called several times, or has an input
that something else reads too. For the time of an attribution every activation is therefore
replaced by fresh ones, one per call; the model's own modules are not touched.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from input_iba.errors import AttributionError

Replace = Callable[[nn.Module], nn.Module]
"""Makes a fresh module that computes what the given one does, not in place."""

_RELUS = (nn.ReLU, nn.ReLU6)
_RELU_CALLS = ("aten.relu", "aten.hardtanh")


class GuidedReLU6(nn.ReLU):
    """ReLU6 under the type that rules for ReLU look for."""

    def forward(self, value: Tensor) -> Tensor:
        """Cut at 0 and 6."""
        cut: Tensor = nn.functional.relu6(value)
        return cut


class RescaledReLU6(nn.Module):
    """ReLU6 as a difference of two ReLUs, to each of which the rescale rule applies.

    Both see the same difference of inputs, so that their multipliers subtract to ReLU6's own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lower, self.upper = OnePerCall([nn.ReLU()]), OnePerCall([nn.ReLU()])

    def forward(self, value: Tensor) -> Tensor:
        """Cut at 0 and 6."""
        lower, upper = self.lower(value), self.upper(value - 6)
        cut: Tensor = lower - upper
        return cut


class OnePerCall(nn.Module):
    """Calls its modules in turn, each on an input of its own."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        super().__init__()
        self.each = nn.ModuleList(modules)
        self._next = 0

    def forward(self, value: Tensor) -> Tensor:
        """Apply the module whose turn it is."""
        module = self.each[self._next % len(self.each)]
        self._next += 1
        # A copy: a hook on it sees the gradient of this use alone, and nothing writes into it.
        # Another of what comes out: the network may go on in place, as `out += x` does.
        result: Tensor = module(value.clone()).clone()
        return result


@contextmanager
def fresh_activations(
    model: nn.Module, run: Callable[[], object], rules: Mapping[type[nn.Module], Replace]
) -> Iterator[int]:
    """Replace activations by fresh modules, one per call, and put the model's own back.

    `rules` lead from the exact type of a module to what makes its replacement; `run` calls the
    model once. Yields how many calls are replaced.
    """
    calls = _calls(model, run, tuple(rules))
    replaced: list[tuple[dict[str, Any], str, nn.Module]] = []
    fresh = {
        module: OnePerCall([rules[type(module)](module) for _ in range(count)])
        for module, count in calls.items()
    }
    try:
        for parent in list(model.modules()):
            for name, child in list(parent._modules.items()):
                if child in fresh:
                    replaced.append((parent._modules, name, child))
                    parent._modules[name] = fresh[child]
        yield sum(calls.values())
    finally:
        for children, name, child in replaced:
            children[name] = child


def plain(module: nn.Module) -> nn.Module:
    """Return a copy that does not work in place, and without the caller's hooks."""
    twin = copy.copy(module)
    twin.__dict__ = {
        key: type(value)() if key.endswith("_hooks") else value
        for key, value in module.__dict__.items()
    }
    if hasattr(twin, "inplace"):
        setattr(twin, "inplace", False)  # noqa: B010  not every module has it
    return twin


def refuse_hidden_relus(model: nn.Module, run: Callable[[], object], method: str) -> None:
    """Refuse a network that calls ReLU as a function, which no rule for modules can reach.

    Raises:
        AttributionError: Says how many calls are hidden.
    """
    count = _CountReLUs()
    with torch.no_grad(), count:
        run()
    seen = sum(_calls(model, run, _RELUS).values())
    if count.found > seen:
        raise AttributionError(
            f"Method {method!r} changes the gradient of nn.ReLU modules, but "
            f"{type(model).__name__} calls ReLU {count.found - seen} times as a function. Use "
            "nn.ReLU modules in the network, or another method."
        )


class _CountReLUs(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts every ReLU and ReLU6 that is computed, however it is called."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.found += str(func).startswith(_RELU_CALLS)
        return func(*args, **(kwargs or {}))


def _calls(
    model: nn.Module, run: Callable[[], object], kinds: tuple[type[nn.Module], ...]
) -> Counter[nn.Module]:
    """Count how often each module of some exact types is called."""
    calls: Counter[nn.Module] = Counter()
    with ExitStack() as stack, torch.no_grad():
        for module in model.modules():
            if type(module) in kinds:
                stack.enter_context(
                    module.register_forward_pre_hook(lambda module, _args: calls.update([module]))
                )
        run()
    return calls
