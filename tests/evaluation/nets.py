"""Small classifiers for tests of the metrics."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tests.evaluation import literal


def network(size: tuple[int, int], channels: int = 2, classes: int = 3) -> nn.Sequential:
    """Return a random double-precision CNN in eval mode, with dropout and batch norm."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Dropout(0.9),
        nn.Flatten(),
        nn.Linear(4 * size[0] * size[1], classes),
    ).double()
    net(torch.randn(8, channels, *size, dtype=torch.float64))
    return net.eval()


def linear(weights: Tensor) -> Callable[[Tensor], Tensor]:
    """Return a classifier whose logit of class 1 is the sum of pixels times weights (H, W)."""

    def logits(inputs: Tensor) -> Tensor:
        evidence = (inputs * weights).sum((1, 2, 3))
        return torch.stack([-evidence, evidence], 1)

    return logits


def logit_of(model: nn.Module, target: int) -> Callable[[literal.Array], float]:
    """Return the target's logit of one input, for the literal implementations."""

    def logit(x: literal.Array) -> float:
        with torch.no_grad():
            return float(model(torch.from_numpy(x)[None])[0, target])

    return logit


def probability_of(model: nn.Module, target: int) -> Callable[[literal.Array], float]:
    """Return the target's probability of one input."""

    def probability(x: literal.Array) -> float:
        with torch.no_grad():
            return float(model(torch.from_numpy(x)[None]).softmax(-1)[0, target])

    return probability
