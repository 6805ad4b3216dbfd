"""What a network is, and whether it can be explained at all; seen without running it."""

from __future__ import annotations

import hashlib
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from input_iba.errors import AttributionError


def bare(model: nn.Module) -> nn.Module:
    """Return the network inside `DataParallel`, `DistributedDataParallel` and `torch.compile`.

    What is found of a network must not depend on what runs it.

    >>> net = nn.Linear(2, 2)
    >>> bare(nn.DataParallel(torch.compile(net))) is net
    True
    """
    parallel = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    while True:
        if isinstance(model, parallel):
            model = model.module
        elif isinstance(inner := model._modules.get("_orig_mod"), nn.Module):
            model = inner
        else:
            return model


def weights_dtype(model: nn.Module) -> torch.dtype | None:
    """Return the floating-point type in which a network's weights are; None where it has none."""
    tensors = chain(model.parameters(), model.buffers())
    return next((value.dtype for value in tensors if value.is_floating_point()), None)


def device_of(model: nn.Module) -> torch.device:
    """Return where a network's weights are; the CPU where it has none."""
    tensors = chain(model.parameters(), model.buffers())
    return next((value.device for value in tensors), torch.device("cpu"))


def weights_digest(model: nn.Module) -> str:
    """Return the SHA-256 of names, shapes and values of all weights and buffers."""
    digest = hashlib.sha256()
    for name, values in model.state_dict().items():
        if isinstance(values, Tensor):
            digest.update(f"{name} {tuple(values.shape)} {values.dtype}\n".encode())
            flat = values.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def working_values(values: Tensor, model: nn.Module) -> Tensor:
    """Return inputs in the type in which masks are computed.

    It is float32; or float64 where both inputs and weights are. They lie in memory in one way,
    since the way decides how sums are rounded. Inputs that were made in inference mode are copied,
    since no gradient could go through them.
    """
    doubles = values.dtype == torch.float64 == weights_dtype(model)
    converted = values.to(torch.float64 if doubles else torch.float32).contiguous()
    return converted.clone() if converted.is_inference() else converted


def check_explainable(model: nn.Module) -> None:
    """Refuse networks that have no gradients, take no hooks or are not whole yet.

    Raises:
        AttributionError: Says what the network is and what to give in its place.
    """
    name = type(model).__name__
    modules = list(model.modules())
    if any(isinstance(module, torch.jit.ScriptModule) for module in modules):
        raise AttributionError(
            f"{name} is scripted or traced (torch.jit), so nothing can be read or replaced at its "
            "layers. Give the network that it was made from, an ordinary nn.Module."
        )
    tensors = list(chain(model.parameters(), model.buffers()))
    if any(map(is_lazy, tensors)):
        raise AttributionError(
            f"{name} has lazy layers whose weights have no shape yet. Run it once on an input, or "
            "load its weights, before it is explained."
        )
    quantised = any("quantized" in type(module).__module__.split(".") for module in modules)
    if quantised or any(value.is_quantized for value in tensors):
        raise AttributionError(
            f"{name} is quantised, and quantised layers have no gradients. Give the "
            "floating-point network that it was made from."
        )
    if any(value.is_inference() for value in tensors):
        raise AttributionError(
            f"The weights of {name} were made in torch.inference_mode(), which no gradient can "
            "pass. Build or load it outside; or copy.deepcopy(model) outside of that block."
        )
