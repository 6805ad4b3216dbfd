"""Explainers of pictures: networks from a picture to a logit per chunk."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.errors import ConfigError, closest
from input_iba.vibi.blocks import WholePicture, normalised_convolution, stage
from input_iba.vibi.chunks import ChunkGrid
from input_iba.vibi.copies import check_start

SIZES: dict[str, tuple[int, int]] = {"small": (16, 1), "published": (64, 2)}
"""Channels of the first convolution, and residual blocks per stage."""

UNET_SIZES: dict[str, tuple[int, int]] = {"small": (8, 3), "published": (64, 4)}
"""Channels at full size, and how often the picture is halved."""

STRIDES = {"Unet": 1, "ResNet_2x": 2, "ResNet_4x": 4, "ResNet_8x": 8}
"""Pixels per position of the map that each explainer makes: the smallest chunks it can choose."""


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
        self.body = nn.Sequential(*layers, WholePicture(channels))
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
        self.whole = WholePicture(sizes[-1])
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


@dataclass(frozen=True)
class ExplainerSettings:
    """Which explainer.

    Attributes:
        type: 'Unet', 'ResNet_2x', 'ResNet_4x' or 'ResNet_8x'.
        size: 'small' trains in minutes on a CPU; 'published' has the published widths.
        width: Channels of the first convolution; 0 for those of `size`.
        blocks: Residual blocks per halving of a ResNet; 0 for those of `size`.
        k: Chunks that an explanation shows.
        chunk_size: Side of a chunk in pixels; 0 for the explainer's own.
        channels: 1 for chunks of all colours at once; 3 for chunks of each colour channel.
        start: 'random' weights, or 'black_box' for the features of a copy of the black box; `type`
            then only says how wide chunks are.
    """

    type: str = "ResNet_4x"
    size: str = "small"
    width: int = 0
    blocks: int = 0
    k: int = 4
    chunk_size: int = 0
    channels: int = 1
    start: str = "random"

    def __post_init__(self) -> None:
        """Check the names."""
        for name, known in (("type", STRIDES), ("size", SIZES)):
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(
                    f"Unknown explainer {name} {value!r}.{closest(value, known)} "
                    f"Known: {', '.join(known)}."
                )
        check_start("explainer", self.start)

    def grid(self, channels: int, height: int, width: int) -> ChunkGrid:
        """Return the chunks of pictures of a shape.

        Raises:
            ConfigError: Chunks of each colour channel are asked for and there are fewer channels.
        """
        if self.channels not in (1, channels):
            raise ConfigError(
                f"Chunks of {self.channels} colour channels need pictures with as many, got "
                f"{channels}. Set explainer.channels (--xpl_channels) to 1 or {channels}."
            )
        return ChunkGrid(height, width, self.chunk_size or STRIDES[self.type], self.channels)


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
    return ResNetExplainer(
        *(in_channels, grid, stride, settings.width or width, settings.blocks or blocks),
        early=settings.size == "small",
    )
