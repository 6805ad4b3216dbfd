"""Explainers of pictures: networks from a picture to a logit per chunk."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.vibi.blocks import WholeImage, normalised_convolution, stage
from input_iba.vibi.chunks import ChunkGrid
from input_iba.vibi.settings import STRIDES, ExplainerSettings

SIZES: dict[str, tuple[int, int]] = {"small": (16, 1), "published": (64, 2)}
"""Channels of the first convolution, and residual blocks per stage."""

UNET_SIZES: dict[str, tuple[int, int]] = {"small": (8, 3), "published": (64, 4)}
"""Channels at full size, and how often the image is halved."""


class ResNetExplainer(nn.Module):
    """A residual network that halves the picture one, two or three times.

    Args:
        in_channels: Of the pictures.
        grid: Chunks to choose from; the map is averaged where they are larger than the stride.
        stride: Pixels per position of the map: 2, 4 or 8.
        width: Channels of the first stage; each further one doubles them.
        blocks: Residual blocks per stage.
        early: Halve in the first convolution already, which spares the layers at full size, by
            far the most expensive ones; else in the first stage.
    """

    def __init__(
        self, in_channels: int, grid: ChunkGrid, stride: int, width: int, blocks: int, early: bool
    ) -> None:
        super().__init__()
        self.grid = grid
        layers: list[nn.Module] = (
            [normalised_convolution(in_channels, width, stride=2, kernel=5)]
            if early
            else [normalised_convolution(in_channels, width)]
        )
        channels = width
        for i in range(stride.bit_length() - 1):
            halves = not (early and i == 0)
            layers.append(stage(channels, width << i, blocks, stride=2 if halves else 1))
            channels = width << i
        self.body = nn.Sequential(*layers, WholeImage(channels))
        self.head = nn.Conv2d(channels, grid.channels, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map pictures (B, C, H, W) in [0, 1] to logits (B, N)."""
        return self.grid.averages(self.head(self.body(pictures)))


class UnetExplainer(nn.Module):
    """A network that goes down to a coarse map and back up to a logit per pixel.

    Args:
        in_channels: Of the pictures.
        grid: Chunks to choose from.
        width: Channels at full size; each halving doubles them.
        halvings: How often the picture is halved.

    References:
        Ronneberger et al. 2015 (arXiv 1505.04597), figure 1, with padding and group norm.
    """

    def __init__(self, in_channels: int, grid: ChunkGrid, width: int, halvings: int) -> None:
        super().__init__()
        self.grid = grid
        sizes = [width << i for i in range(halvings + 1)]
        self.down = nn.ModuleList(
            _pair(inputs, outputs)
            for inputs, outputs in zip([in_channels, *sizes], sizes, strict=False)
        )
        self.whole = WholeImage(sizes[-1])
        self.up = nn.ModuleList(
            _pair(coarse + fine, fine)
            for coarse, fine in zip(reversed(sizes[1:]), reversed(sizes[:-1]), strict=True)
        )
        self.head = nn.Conv2d(width, grid.channels, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map pictures (B, C, H, W) in [0, 1] to logits (B, N)."""
        features, kept = pictures, []
        for i, layer in enumerate(self.down):
            if i and min(features.shape[-2:]) > 1:
                features = F.max_pool2d(features, 2)
            features = layer(features)
            kept.append(features)
        features = self.whole(kept.pop())
        for layer in self.up:
            fine = kept.pop()
            grown = F.interpolate(features, size=fine.shape[-2:])
            features = layer(torch.cat([grown, fine], 1))
        return self.grid.averages(self.head(features))


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        normalised_convolution(inputs, outputs), normalised_convolution(outputs, outputs)
    )


def grid_of(settings: ExplainerSettings, channels: int, height: int, width: int) -> ChunkGrid:
    """Return the chunks of images of a shape.

    Raises:
        ConfigError: Chunks of each colour channel are asked for and there are fewer channels.
    """
    if settings.channels not in (1, channels):
        raise ConfigError(
            f"Chunks of {settings.channels} colour channels need images with as many, got "
            f"{channels}. Set explainer.channels (--xpl_channels) to 1 or {channels}."
        )
    size = settings.chunk_size or STRIDES[settings.type]
    return ChunkGrid(height, width, size, settings.channels)


def build_explainer(settings: ExplainerSettings, in_channels: int, grid: ChunkGrid) -> nn.Module:
    """Build an explainer.

    Raises:
        ConfigError: The chunks are smaller than what the explainer can tell apart.
    """
    stride = STRIDES[settings.type]
    if grid.size < stride:
        finer = [name for name, other in STRIDES.items() if other <= grid.size]
        raise ConfigError(
            f"{settings.type} chooses among chunks of {stride} pixels or more, got chunks of "
            f"{grid.size}. Take larger chunks, or {' or '.join(finer)}."
        )
    if settings.type == "Unet":
        width, halvings = UNET_SIZES[settings.size]
        return UnetExplainer(in_channels, grid, settings.width or width, halvings)
    width, blocks = SIZES[settings.size]
    width, blocks = settings.width or width, settings.blocks or blocks
    early = settings.size == "small"
    return ResNetExplainer(in_channels, grid, stride, width, blocks, early)
