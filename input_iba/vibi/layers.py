"""Layers that explainers and approximators of images are made of.

They normalise over groups of channels of one image, never over a batch: in training a batch
holds softly masked images, at evaluation hard masks, and running statistics of the former are
wrong for the latter.

Their tensors keep the usual memory order: on a CPU, group norm of bfloat16 takes 3 ms for 256
images of 28×28 with 16 channels so, and 86 ms with channels last, which outweighs what
convolutions gain.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS: dict[str, tuple[int, int]] = {"small": (16, 1), "published": (64, 2)}
"""Channels of the first convolution, and residual blocks per stage."""


def normalised_convolution(
    inputs: int, outputs: int, stride: int = 1, kernel: int = 3, activation: bool = True
) -> nn.Sequential:
    """Return convolution, group norm and rectifier; the size becomes ceil(size / stride)."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.GroupNorm(math.gcd(8, outputs), outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(True)] if activation else []))


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions, the first with a stride, and a way around them.

    References:
        He et al. 2016 (arXiv 1512.03385), figure 2, with group norm (arXiv 1803.08494).
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            normalised_convolution(inputs, outputs, stride),
            normalised_convolution(outputs, outputs, activation=False),
        )
        self.around: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.around = normalised_convolution(inputs, outputs, stride, 1, activation=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉)."""
        return F.relu(self.body(features) + self.around(features))


def stage(inputs: int, outputs: int, blocks: int, stride: int) -> nn.Sequential:
    """Return residual blocks in a row, the first with a stride."""
    first = ResidualBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(ResidualBlock(outputs, outputs) for _ in range(blocks - 1)))
