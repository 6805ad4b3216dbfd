"""ConvNet: two convolutions and two dense layers, for small pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.registry import CLASSIFIERS


class ConvNet(nn.Module):
    """Two convolutions, each followed by pooling, and two dense layers.

    The black box of the VIBI paper's experiments on MNIST is of this kind. `features.3` is the
    last activation before pooling. The dense layers see where something lies, which global
    average pooling does not.

    Args:
        num_classes: Number of classes.
        in_channels: Channels of the input: 1 for grey.
        width: Channels of the first convolution; the second has twice as many.
        hidden: Outputs of the first dense layer.
        dropout: Share of the hidden units that training drops.

    >>> ConvNet(num_classes=10, in_channels=1)(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        num_classes: int = 10,
        in_channels: int = 1,
        width: int = 32,
        hidden: int = 128,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(2 * width * 7 * 7, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, classes) of images (B, C, H, W)."""
        features = self.features(images)
        if features.shape[-2:] != (7, 7):  # pictures of other sizes than 28×28
            features = F.adaptive_avg_pool2d(features, 7)
        logits: Tensor = self.classifier(torch.flatten(features, 1))
        return logits


CLASSIFIERS.register_module(name="ConvNet", module=ConvNet)
