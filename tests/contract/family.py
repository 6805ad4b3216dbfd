"""Families of networks, tiny and random, and what is true of their layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

MAP, REFUSED, EITHER = "map", "refused", "either"
"""A map with the change where the input was changed; an error that names `layout=`; one of them."""


@dataclass(frozen=True)
class Family:
    """A kind of network.

    Attributes:
        name: As timm or transformers call it.
        make: Builds a small one, without weights of any training.
        layers: What is true of the outputs of some layers: MAP, REFUSED or EITHER.
        size: Height and width of the images that it takes, in pixels.
    """

    name: str
    make: Callable[[], nn.Module]
    layers: dict[str, str] = field(default_factory=dict)
    size: int = 64

    def __str__(self) -> str:
        return self.name


def named(
    name: str,
    *layers: str,
    size: int = 64,
    refused: Sequence[str] = (),
    either: Sequence[str] = (),
    **options: Any,
) -> Family:
    """Return a family that `timm.create_model` builds.

    Args:
        name: Of the model.
        layers: Names of layers that put out maps.
        size: Height and width of the images.
        refused: Names of layers that must be refused.
        either: Names of layers that may be refused.
        options: For `timm.create_model`.
    """

    def make() -> nn.Module:
        net: nn.Module = timm.create_model(name, num_classes=5, **options)
        return net

    return Family(name, make, expected(layers, refused, either), size)


def built(
    name: str,
    class_: Callable[..., nn.Module],
    *layers: str,
    size: int = 64,
    refused: Sequence[str] = (),
    either: Sequence[str] = (),
    **options: Any,
) -> Family:
    """Return a family whose class is called, where `timm.create_model` cannot make it small."""
    make = lambda: class_(num_classes=5, **options)  # noqa: E731
    return Family(name, make, expected(layers, refused, either), size)


def expected(maps: Sequence[str], refused: Sequence[str], either: Sequence[str]) -> dict[str, str]:
    """Say what is true of every layer of a row."""
    return (
        dict.fromkeys(maps, MAP) | dict.fromkeys(refused, REFUSED) | dict.fromkeys(either, EITHER)
    )


def awaken(net: nn.Module, example: Tensor | None = None) -> nn.Module:
    """Give a network weights through which signals pass, as through those of a trained one.

    Fresh networks begin with layers that say nothing: a last norm, a layer scale or a head of
    zeros. Weights become as large as keeps the scale of what they get.

    Args:
        net: Any network, freshly built.
        example: Images (B, C, H, W) by which batch norms learn what they normalise.
    """
    generator = torch.Generator().manual_seed(0)
    layers = (nn.Linear, nn.modules.conv._ConvNd)
    weights = {id(module.weight) for module in net.modules() if isinstance(module, layers)}
    words = {id(module.weight) for module in net.modules() if isinstance(module, nn.Embedding)}
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if id(parameter) in words:
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
            elif id(parameter) in weights:
                scale = 1 / math.sqrt(parameter[0].numel())
                parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
            elif parameter.ndim > 1 and not bool(parameter.any()):
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
            elif _says_nothing(name, parameter):
                parameter.fill_(0.2)
        if example is not None:
            _settle_batch_norms(net, example)
    return net.eval()


def _says_nothing(name: str, parameter: nn.Parameter) -> bool:
    """Say whether a parameter scales what it gets to nothing, or next to it."""
    first = float(parameter.flatten()[0])
    even = bool((parameter == first).all())
    return even and (0 < abs(first) <= 0.1 or (first == 0 and name.endswith(("weight", "gamma"))))


def _settle_batch_norms(net: nn.Module, example: Tensor) -> None:
    norms = [module for module in net.eval().modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.train()
        norm.momentum = None  # the average of all batches, of which there is one
    if norms:
        net(example)
