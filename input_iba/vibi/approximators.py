"""Approximators of images: they answer as the black box does, from the chosen chunks alone."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.vibi.layers import WIDTHS, normalised_convolution, stage
from input_iba.vibi.settings import ApproximatorSettings


class SmallApproximator(nn.Module):
    """Three convolutions and two dense layers, which see where a chunk lies."""

    def __init__(
        self, in_channels: int, classes: int, width: int, hidden: int = 128, cells: int = 7
    ) -> None:
        super().__init__()
        self.cells = cells
        self.features = nn.Sequential(
            normalised_convolution(in_channels, width, stride=2, kernel=5),
            normalised_convolution(width, 2 * width),
            normalised_convolution(2 * width, 2 * width, stride=2),
        )
        self.head = nn.Sequential(
            nn.Linear(2 * width * cells * cells, hidden), nn.ReLU(True), nn.Linear(hidden, classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images with hidden chunks (B, C, H, W) to logits (B, classes)."""
        features = self.features(images)
        if features.shape[-2:] != (self.cells, self.cells):
            features = F.adaptive_avg_pool2d(features, self.cells)
        logits: Tensor = self.head(features.flatten(1))
        return logits


class ResNetApproximator(nn.Module):
    """A residual network of four stages, each of twice the channels of the one before."""

    def __init__(self, in_channels: int, classes: int, width: int, blocks: int) -> None:
        super().__init__()
        stages = [
            stage(width << max(i - 1, 0), width << i, blocks, stride=1 if i == 0 else 2)
            for i in range(4)
        ]
        self.features = nn.Sequential(normalised_convolution(in_channels, width), *stages)
        self.head = nn.Linear(width << 3, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images with hidden chunks (B, C, H, W) to logits (B, classes)."""
        logits: Tensor = self.head(self.features(images).mean((-2, -1)))
        return logits


def build_approximator(settings: ApproximatorSettings, in_channels: int, classes: int) -> nn.Module:
    """Build an approximator for images of any size."""
    width, blocks = WIDTHS[settings.size]
    width = settings.width or width
    if settings.size == "published":
        return ResNetApproximator(in_channels, classes, width, blocks)
    return SmallApproximator(in_channels, classes, width)
