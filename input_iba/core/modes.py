"""Context managers that borrow a model and give it back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-3}
"""What rounding may change, as a share of the greatest value; 0.02 for shorter types."""


@contextmanager
def frozen(model: nn.Module) -> Iterator[nn.Module]:
    """Put a model into eval mode without weight gradients, and restore it afterwards.

    Train and eval flags of every module and `requires_grad` of every parameter come back, also
    after an exception. `grad` of the parameters is never touched.

    Recurrent layers stay in train mode, without which cuDNN has no backward pass for them, and
    drop nothing out between their layers.
    """
    training = [(module, module.training) for module in model.modules()]
    recurrent = [(m, m.dropout) for m in model.modules() if isinstance(m, nn.RNNBase)]
    gradients = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        model.eval()
        for layer, _ in recurrent:
            layer.training, layer.dropout = True, 0.0
        for parameter, _ in gradients:
            parameter.requires_grad_(False)
        yield model
    finally:
        for module, flag in training:
            module.training = flag
        for layer, dropout in recurrent:
            layer.dropout = dropout
        for parameter, flag in gradients:
            parameter.requires_grad_(flag)


@contextmanager
def with_gradients() -> Iterator[None]:
    """Switch gradients on inside a caller's `torch.no_grad()` or `torch.inference_mode()`."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


@contextmanager
def replaced_forward(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Give a module another forward method, and its own again afterwards."""
    own = module.__dict__.get("forward")
    try:
        module.forward = forward
        yield
    finally:
        if own is None:
            del module.forward
        else:
            module.forward = own


@contextmanager
def padding_known(model: nn.Module, pad: int) -> Iterator[None]:
    """Give configurations of `transformers` that know no padding its id, and take it back.

    Classifiers that read a text's last token, as GPT-2 does, look for the padding behind it.
    """
    configs = [vars(module).get("config") for module in model.modules()]
    lent: list[Any] = [c for c in configs if getattr(c, "pad_token_id", pad) is None]
    try:
        for config in lent:
            config.pad_token_id = pad
        yield
    finally:
        for config in lent:
            config.pad_token_id = None


@contextmanager
def plain_attention() -> Iterator[None]:
    """Switch off torch's fast path for transformer encoders, and restore it afterwards.

    Without gradients it packs padded texts into nested tensors, which have no shape that a layer's
    features could be read in, and leaves out the modules within a layer.
    """
    enabled = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


def same(one: Tensor, other: Tensor, dtype: torch.dtype | None = None) -> bool:
    """Return whether two ways to compute the same, in some type, gave the same up to rounding."""
    if one.shape != other.shape:
        if one.shape[0] != other.shape[0] or one.shape[2:] != other.shape[2:]:
            return False
        # Of detections there are as many as in the input of a batch that has most.
        most = max(one.shape[1], other.shape[1])
        one, other = (_filled(part, most) for part in (one, other))
    bound = ROUNDING.get(dtype or one.dtype, 0.02) * one.abs().max()
    return bool((one - other).abs().max() <= bound)


def _filled(values: Tensor, length: int) -> Tensor:
    """Return values (B, n, …) with zeros behind them, (B, length, …)."""
    missing = values.new_zeros(len(values), length - values.shape[1], *values.shape[2:])
    return torch.cat([values, missing], 1)
