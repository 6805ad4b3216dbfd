"""Pieces that explainers and approximators of pictures are made of.

They normalise over groups of channels of one picture, never over a batch: in training a batch
holds softly masked pictures, at evaluation hard masks, and running statistics of the former are
wrong for the latter.

Their tensors keep the usual memory order: on a CPU, group norm of bfloat16 takes 3 ms for 256
pictures of 28×28 with 16 channels so, and 86 ms with channels last, which outweighs what
convolutions gain.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn


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
    """Two 3×3 convolutions and a way around them.

    Args:
        inputs: Channels.
        outputs: Channels.
        stride: Of the first convolution.

    References:
        He et al. 2016 (arXiv 1512.03385), figure 2, with group norm (arXiv 1803.08494).
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            normalised_convolution(inputs, outputs, stride),
            normalised_convolution(outputs, outputs, activation=False),
        )
        changed = stride > 1 or inputs != outputs
        self.around: nn.Module = (
            normalised_convolution(inputs, outputs, stride, kernel=1, activation=False)
            if changed
            else nn.Identity()
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉)."""
        return F.relu(self.body(features) + self.around(features))


def stage(inputs: int, outputs: int, blocks: int, stride: int) -> nn.Sequential:
    """Return residual blocks in a row, the first with a stride."""
    first = ResidualBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(ResidualBlock(outputs, outputs) for _ in range(blocks - 1)))


class WholeImage(nn.Module):
    """Tells every position what the whole picture looks like.

    A chunk's worth depends on what else is there, and a few convolutions do not see that far.

    Args:
        channels: Of the features.
        cells: The features are averaged over cells×cells areas, whatever their size.
    """

    def __init__(self, channels: int, cells: int = 4) -> None:
        super().__init__()
        self.cells = cells
        self.mix = nn.Linear(channels * cells * cells, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        seen = self.mix(F.adaptive_avg_pool2d(features, self.cells).flatten(1))
        return F.relu(features + seen[:, :, None, None])
