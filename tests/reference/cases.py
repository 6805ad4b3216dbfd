"""Numbers and a network to try the reference with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

close = torch.testing.assert_close


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def tiny_cnn() -> nn.Sequential:
    """Two convolutions with a ReLU in place behind the first, three classes."""
    torch.manual_seed(0)
    layers = (nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2))
    head = (nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 1 * 2, 3))
    return nn.Sequential(*layers, *head).double().eval()


X_SHAPE = (2, 6, 8)
FEATURE_SHAPE = (3, 3, 4)
