"""Chunks of an image: squares that are shown or hidden as one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

from input_iba.errors import ConfigError
from input_iba.vibi.settings import STRIDES, ExplainerSettings


class Chunks(Protocol):
    """How inputs of one kind fall into chunks."""

    @property
    def count(self) -> int:
        """Return the number of chunks N."""

    def hide(self, inputs: Tensor, shown: Tensor) -> Tensor:
        """Return inputs (S, …) with chunks hidden: (S·K, …), the K versions of an input in turn.

        `shown` is (S, K, N) in [0, 1]; 0 hides.
        """


@dataclass(frozen=True)
class ChunkGrid:
    """Squares over an image, those at its right and lower edge cut off where it ends.

    Attributes:
        size: Side of a chunk, in pixels, as height and width of the image are.
        channels: 1 for chunks of all colours at once; C for chunks of each colour channel.
        fill: What stands where a chunk is hidden, in the pixels' own range [0, 1]: background.
    """

    height: int
    width: int
    size: int
    channels: int = 1
    fill: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 1 <= self.size <= min(self.height, self.width):
            raise ConfigError(
                f"Chunks of {self.size} pixels do not fit into images of {self.height}×"
                f"{self.width}. Choose a chunk size from 1 to {min(self.height, self.width)}."
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return channels, rows and columns of chunks."""
        rows, columns = (math.ceil(n / self.size) for n in (self.height, self.width))
        return self.channels, rows, columns

    @property
    def count(self) -> int:
        """Return the number of chunks N."""
        return math.prod(self.shape)

    def upsample(self, values: Tensor) -> Tensor:
        """Spread one value per chunk over its pixels, (…, N) to (…, channels, H, W)."""
        large = values.reshape(*values.shape[:-1], *self.shape)
        if self.size > 1:
            large = large.repeat_interleave(self.size, -2).repeat_interleave(self.size, -1)
        return large[..., : self.height, : self.width]

    def averages(self, values: Tensor) -> Tensor:
        """Average a map over chunks, (B, channels, h, w) to (B, N); h×w may be any size."""
        wanted = self.shape[1:]
        if values.shape[-2:] != wanted:
            values = F.adaptive_avg_pool2d(values.float(), wanted)
        return values.flatten(1)

    def hide(self, inputs: Tensor, shown: Tensor) -> Tensor:
        """Return images (S, C, H, W) with chunks hidden: z·x + (1−z)·fill; see `Chunks`."""
        mask = self.upsample(shown)
        images = inputs[:, None] * mask
        if self.fill:
            images = images + self.fill * (1 - mask)
        return images.flatten(0, 1)


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
    return ChunkGrid(height, width, size, settings.channels, settings.fill)
