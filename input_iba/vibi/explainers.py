"""Explainers of images: they give each chunk a logit, from which the k chosen ones are drawn."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.vibi.chunks import ChunkGrid
from input_iba.vibi.layers import WIDTHS, normalised_convolution, stage
from input_iba.vibi.settings import STRIDES, ExplainerSettings

UNET_WIDTHS: dict[str, tuple[int, int]] = {"small": (8, 3), "published": (64, 4)}
"""Channels at full size, and how often the image is halved."""


class WholeImage(nn.Module):
    """Tells every position what the whole image looks like, by averages over cells×cells areas.

    A chunk's worth depends on what else is there, and a few convolutions do not see that far.
    """

    def __init__(self, channels: int, cells: int = 4) -> None:
        super().__init__()
        self.cells = cells
        self.mix = nn.Linear(channels * cells * cells, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        seen = self.mix(F.adaptive_avg_pool2d(features, self.cells).flatten(1))
        return F.relu(features + seen[:, :, None, None])


class DenseChoice(nn.Module):
    """Gives each chunk a logit by where everything lies in the image, which convolutions see badly.

    Maps are averaged over at most cells×cells areas.
    """

    def __init__(self, channels: int, chunks: int, hidden: int, cells: int = 7) -> None:
        super().__init__()
        self.cells = cells
        self.layers = nn.Sequential(
            nn.Linear(channels * cells**2, hidden), nn.ReLU(True), nn.Linear(hidden, chunks)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, chunks)."""
        if features.shape[-2:] != (self.cells, self.cells):
            features = F.adaptive_avg_pool2d(features, self.cells)
        logits: Tensor = self.layers(features.flatten(1))
        return logits


class ChunkHead(nn.Module):
    """What the explainers end with: a convolution, and beside it dense layers where asked for."""

    grid: ChunkGrid
    head: nn.Conv2d
    dense: DenseChoice | None

    def add_head(self, channels: int, grid: ChunkGrid, dense: int) -> None:
        """Add the last layers; `dense` are outputs of the first dense one, 0 for none."""
        self.grid = grid
        self.head = nn.Conv2d(channels, grid.channels, 1)
        self.dense = DenseChoice(channels, grid.count, dense) if dense else None

    def chosen(self, features: Tensor) -> Tensor:
        """Map features (B, C, H, W) to logits (B, N)."""
        logits = self.grid.averages(self.head(features))
        return logits if self.dense is None else logits + self.dense(features)


class ResNetExplainer(ChunkHead):
    """A residual network that halves the image one, two or three times.

    Args:
        grid: Chunks to choose from; the map is averaged where they are larger than the stride.
        stride: Pixels per position of the map: 2, 4 or 8.
        width: Channels of the first stage; each further one doubles them.
        blocks: Residual blocks per stage.
        early: Halve in the first convolution already, which spares the layers at full size, by
            far the most expensive ones; else in the first stage.
        dense: See `ChunkHead`.
    """

    def __init__(
        self,
        in_channels: int,
        grid: ChunkGrid,
        stride: int,
        width: int,
        blocks: int,
        early: bool,
        dense: int = 0,
    ) -> None:
        super().__init__()
        first = (2, 5) if early else (1, 3)  # stride and kernel
        layers: list[nn.Module] = [normalised_convolution(in_channels, width, *first)]
        channels = width
        for i in range(stride.bit_length() - 1):
            halves = not (early and i == 0)
            layers.append(stage(channels, width << i, blocks, stride=2 if halves else 1))
            channels = width << i
        self.body = nn.Sequential(*layers, WholeImage(channels))
        self.add_head(channels, grid, dense)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) in [0, 1] to logits (B, N)."""
        return self.chosen(self.body(images))


class UnetExplainer(ChunkHead):
    """A network that goes down to a coarse map, in some halvings, and back up to full size.

    References:
        Ronneberger et al. 2015 (arXiv 1505.04597), figure 1, with padding and group norm.
    """

    def __init__(
        self, in_channels: int, grid: ChunkGrid, width: int, halvings: int, dense: int = 0
    ) -> None:
        super().__init__()
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
        self.add_head(width, grid, dense)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) in [0, 1] to logits (B, N)."""
        features, kept = images, []
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
        return self.chosen(features)


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        normalised_convolution(inputs, outputs), normalised_convolution(outputs, outputs)
    )


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
        width, halvings = UNET_WIDTHS[settings.size]
        return UnetExplainer(in_channels, grid, settings.width or width, halvings, settings.dense)
    width, blocks = WIDTHS[settings.size]
    width, blocks = settings.width or width, settings.blocks or blocks
    early = settings.size == "small"
    return ResNetExplainer(in_channels, grid, stride, width, blocks, early, settings.dense)
