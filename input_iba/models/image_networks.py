"""Networks for small images: ConvNet, SmallVGG and residual networks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.registry import CLASSIFIERS


def _features(plan: tuple[int | str, ...], in_channels: int, inplace: bool = True) -> nn.Sequential:
    """Return 3×3 convolutions of the planned numbers of channels; "M" is max pooling."""
    layers: list[nn.Module] = []
    for entry in plan:
        if isinstance(entry, str):
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(in_channels, entry, 3, padding=1), nn.ReLU(inplace)]
            in_channels = entry
    return nn.Sequential(*layers)


@CLASSIFIERS.register_module()
class ConvNet(nn.Module):
    """Two convolutions, each followed by pooling, and two dense layers.

    The black box of the VIBI paper's experiments on MNIST is of this kind. `features.3` is the
    last activation before pooling. The dense layers see where something lies, which global
    average pooling does not.

    The second convolution has twice `width` channels; `hidden` are outputs of the first dense
    layer, of which training drops the share `dropout`.

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
        self.features = _features((width, "M", 2 * width, "M"), in_channels, inplace=False)
        self.classifier = nn.Sequential(
            nn.Linear(2 * width * 7 * 7, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, classes) of images (B, C, H, W)."""
        features = self.features(images)
        if features.shape[-2:] != (7, 7):  # images of other sizes than 28×28
            features = F.adaptive_avg_pool2d(features, 7)
        logits: Tensor = self.classifier(torch.flatten(features, 1))
        return logits


@CLASSIFIERS.register_module()
class SmallVGG(nn.Module):
    """VGG-11 without its last block of two convolutions, and with one hidden linear layer.

    `features.14` is the last activation: 512 channels at an eighth of the input's size.

    References:
        Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
        Recognition" (arXiv 1409.1556), table 1, column A.

    >>> SmallVGG(num_classes=10)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = _features((64, "M", 128, "M", 256, 256, "M", 512, 512), in_channels)
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


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Return the identity, or a strided 1×1 convolution where the shape changes."""
    if stride == 1 and in_channels == out_channels:
        return nn.Sequential()
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class BasicBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut: (B, C, H, W) to (B, width, H/stride, W/stride)."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = _shortcut(in_channels, width, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Return the block's output, after the last activation."""
        hidden = self.relu(self.bn1(self.conv1(features)))
        hidden = self.bn2(self.conv2(hidden))
        output: Tensor = self.relu(hidden + self.shortcut(features))
        return output


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions beside a shortcut; puts out 4·width channels."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)
        self.shortcut = _shortcut(in_channels, width * self.expansion, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Return the block's output, after the last activation."""
        hidden = self.relu(self.bn1(self.conv1(features)))
        hidden = self.relu(self.bn2(self.conv2(hidden)))
        hidden = self.bn3(self.conv3(hidden))
        output: Tensor = self.relu(hidden + self.shortcut(features))
        return output


DEPTHS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, ...]]] = {
    8: (BasicBlock, (1, 1, 1)),
    10: (BasicBlock, (1, 1, 1, 1)),
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}


@CLASSIFIERS.register_module("ResNet")
class CifarResNet(nn.Module):
    """Residual network with a 3×3 stem and no pooling before the stages; `ResNet` in configs.

    Stages `layer1`, `layer2`, … have 64, 128, 256 (and 512) channels, times 4 with bottleneck
    blocks, and strides 1, 2, 2 (and 2). With another `width` than 64 all are wider or narrower.
    `depth` is 8, 10, 18, 34 (basic blocks), 50 or 101 (bottleneck blocks).

    References:
        He et al. 2016, "Deep Residual Learning for Image Recognition" (arXiv 1512.03385).

    >>> CifarResNet(depth=8)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self, depth: int = 18, num_classes: int = 10, in_channels: int = 3, width: int = 64
    ) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise ConfigError(
                f"ResNet has no depth {depth!r}. Expected one of {sorted(DEPTHS)}: set `depth`."
            )
        if width < 1:
            raise ConfigError(f"ResNet needs at least 1 channel, got width={width!r}: set `width`.")
        block, counts = DEPTHS[depth]
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        channels = width
        self.stage_names = [f"layer{i + 1}" for i in range(len(counts))]
        for i, (name, count) in enumerate(zip(self.stage_names, counts, strict=True)):
            blocks: list[nn.Module] = []
            for j in range(count):
                stride = 2 if i > 0 and j == 0 else 1
                blocks.append(block(channels, width * 2**i, stride))
                channels = width * 2**i * block.expansion
            self.add_module(name, nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, classes) of images (B, C, H, W)."""
        features = self.relu(self.bn1(self.conv1(images)))
        for name in self.stage_names:
            features = self.get_submodule(name)(features)
        logits: Tensor = self.linear(torch.flatten(self.avgpool(features), 1))
        return logits
