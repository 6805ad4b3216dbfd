"""Forward passes through a whole classifier: borrowed, made cheaper to run, in which precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.folding import Read, foldable, folded, weights_in
from input_iba.core.hooks import unwrap
from input_iba.core.modes import frozen
from input_iba.core.strided import FloatGradients
from input_iba.core.tokens import Tokens
from input_iba.errors import AttributionError

Run = Callable[[nn.Module, Tensor, Tokens | None], Any]
"""Runs a classifier on inputs (B, …), behind which the given tokens stand, if any."""


def run_alone(model: nn.Module, inputs: Tensor, tokens: Tokens | None) -> Any:
    """Give the inputs to the model, and nothing else."""
    return model(inputs)


def logits_of(run: Callable[[Tensor], Any], inputs: Tensor, autocast: torch.dtype | None) -> Tensor:
    """Run a whole classifier.

    Args:
        run: The classifier, or what runs it: maps (B, …) to logits (B, classes).
        inputs: (B, …).
        autocast: Type in which the classifier computes where that is safe, or None for its own.

    Returns:
        (B, classes), in the type of the inputs.

    Raises:
        AttributionError: The classifier puts out something else.
    """
    with precision(autocast, inputs.device):
        logits = unwrap(run(own_inputs(inputs)))
    if logits.ndim != 2 or len(logits) != len(inputs):
        raise AttributionError(
            f"The classifier puts out shape {tuple(logits.shape)} for {len(inputs)} inputs; "
            f"expected logits of shape ({len(inputs)}, classes)."
        )
    return logits.to(inputs.dtype)


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
    """Let networks compute in `autocast`, or in their own type for None."""
    if autocast is None:
        yield
        return
    with torch.autocast(device.type, dtype=autocast):
        if device.type == "cpu":
            with FloatGradients():
                yield
        else:
            yield


def own_inputs(inputs: Tensor) -> Tensor:
    """Copy the caller's own tensors, which an in-place first layer would overwrite.

    Images go in channels-last, the layout in which convolutions are fastest.
    """
    if inputs.grad_fn is None:
        inputs = inputs.clone()
    if inputs.ndim == 4:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    return inputs
