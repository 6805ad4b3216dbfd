"""SmallVGG: a VGG for 32×32 images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.registry import CLASSIFIERS

PLAN: tuple[int | str, ...] = (64, "M", 128, "M", 256, 256, "M", 512, 512)


def _features(plan: tuple[int | str, ...], in_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for entry in plan:
        if isinstance(entry, str):
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers += [nn.Conv2d(in_channels, entry, kernel_size=3, padding=1), nn.ReLU(True)]
            in_channels = entry
    return nn.Sequential(*layers)


class SmallVGG(nn.Module):
    """VGG-11 without its last block of two convolutions, and with one hidden linear layer.

    `features.14` is the last activation: 512 channels at an eighth of the input's size.

    Args:
        num_classes: Number of classes.
        in_channels: Channels of the input, 3 for RGB.
        dropout: Share of the hidden units that training drops.

    References:
        Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
        Recognition" (arXiv 1409.1556), table 1, column A.

    >>> SmallVGG(num_classes=10)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = _features(PLAN, in_channels)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        for module in self.features:
            if isinstance(module, nn.Conv2d):
                # Without batch normalisation, smaller initial weights let the signal die out.
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, classes) of images (B, C, H, W)."""
        pooled = self.avgpool(self.features(images))
        logits: Tensor = self.classifier(torch.flatten(pooled, 1))
        return logits


CLASSIFIERS.register_module(name="SmallVGG", module=SmallVGG)
