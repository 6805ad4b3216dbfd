"""Forward passes through a whole classifier: borrowed, made cheaper to run, in which precision."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.folding import Read, foldable, folded, weights_in
from input_iba.core.modes import frozen
from input_iba.core.strided import FloatGradients
from input_iba.core.tokens import Tokens

Run = Callable[[nn.Module, Tensor, Tokens | None], Any]
"""Runs a classifier on inputs (B, …), behind which the given tokens stand, if any."""


def run_alone(model: nn.Module, inputs: Tensor, tokens: Tokens | None) -> Any:
    """Give the inputs to the model, and nothing else."""
    return model(inputs)


@contextmanager
def prepared(
    model: nn.Module, autocast: torch.dtype | None, *reads: Read, tap: nn.Module | None = None
) -> Iterator[None]:
    """Freeze a model and make it cheaper to run, and restore it afterwards.

    Args:
        model: The classifier.
        autocast: Type in which it will compute, or None for its own.
        reads: Run it without autocast, the first of them to its end; what they return is not
            changed by folding.
        tap: A module whose own input and output must stay what they are.
    """
    with frozen(model):
        pairs = foldable(model, tap, *reads)
        with folded(pairs), weights_in(model, autocast):
            yield


@contextmanager
def precision(autocast: torch.dtype | None, device: torch.device) -> Iterator[None]:
    """Let networks compute in `autocast`, or in their own type for None; compiled parts eagerly."""
    with ExitStack() as stack:
        stack.enter_context(_eagerly())
        if autocast is not None:
            stack.enter_context(torch.autocast(device.type, dtype=autocast))
            if device.type == "cpu":
                stack.enter_context(FloatGradients())
        yield


def _eagerly() -> AbstractContextManager[Any]:
    """Run what torch.compile has compiled as it was written, so that hooks see every layer."""
    stance = getattr(torch.compiler, "set_stance", None)  # torch 2.6 and newer
    if stance is None or "torch._dynamo" not in sys.modules:
        return nullcontext()
    eagerly: AbstractContextManager[Any] = stance("force_eager")
    return eagerly


def own_inputs(inputs: Tensor) -> Tensor:
    """Copy the caller's own tensors, which an in-place first layer would overwrite.

    Images go in channels-last, the layout in which convolutions are fastest.
    """
    if inputs.grad_fn is None:
        inputs = inputs.clone()
    if inputs.ndim == 4:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    return inputs
