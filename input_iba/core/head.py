"""The last linear layer of a classifier, whose weights say what each class looks for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.modes import same
from input_iba.core.watched import Tap


@dataclass(frozen=True)
class Head:
    """The layer that puts out the logits.

    Attributes:
        vectors: What each class looks for, (classes, D): rows of the weights, less their mean. Of
            one logit there are two, of opposite sign.
        read: What the layer read in the pass that found it, (B, D).
    """

    vectors: Tensor
    read: Tensor


def find_head(model: nn.Module, run: Callable[[], Tensor]) -> Head | None:
    """Return the layer whose output is what `run` returns, logits (B, classes); None without one.

    Only linear layers and convolutions of one position are looked at.
    """
    calls: list[tuple[nn.Module, Tensor, Tensor]] = []

    def note(module: nn.Module, args: Any, output: Any) -> None:
        if args and isinstance(args[0], Tensor) and isinstance(output, Tensor):
            calls.append((module, args[0], output))

    with ExitStack() as stack, torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
                handle = module.register_forward_hook(note)
                stack.callback(handle.remove)
        logits = run()
    rows, classes = logits.shape
    for module, read, output in reversed(calls):
        weight = module.get_parameter("weight").detach().float()
        if output.numel() != logits.numel() or read.numel() != rows * weight[0].numel():
            continue
        if same(output.reshape(rows, classes).to(logits.dtype), logits):
            weight = weight.flatten(1)
            if classes == 1:
                weight = torch.cat([-weight, weight])
            return Head(weight - weight.mean(0), read.reshape(rows, -1))
    return None


def pooled_tap(model: nn.Module, run: Callable[[], object], pooled: Tensor) -> Tap | None:
    """Return where features lie whose mean over positions are vectors (B, D); None where nowhere.

    With the vectors of classes, such features say where there is evidence for a class.

    References:
        Zhou et al. 2016 (arXiv 1512.04150), class activation mapping.
    """
    calls: dict[Tap, list[bool]] = {}

    def note(tap: Tap, value: Any) -> None:
        values = value if isinstance(value, tuple) else (value,)
        tensor = next((one for one in values if isinstance(one, Tensor)), None)
        calls.setdefault(tap, []).append(tensor is not None and _pools(tensor, pooled))

    with ExitStack() as stack, torch.no_grad():
        for name, module in model.named_modules():
            if name:
                before, after = Tap(name, "input"), Tap(name, "output")
                for handle in (
                    module.register_forward_pre_hook(lambda _, args, at=before: note(at, args)),
                    module.register_forward_hook(lambda _, __, out, at=after: note(at, out)),
                ):
                    stack.callback(handle.remove)
        run()
    return next((tap for tap, pools in calls.items() if pools == [True]), None)


def _pools(value: Tensor, pooled: Tensor) -> bool:
    """Return whether vectors (B, D) are the means of features (B, D, …) of several positions."""
    if value.ndim < 3 or value.shape[:2] != pooled.shape or value.shape[2:].numel() < 2:
        return False
    return same(value.flatten(2).mean(2).to(pooled.dtype), pooled)
