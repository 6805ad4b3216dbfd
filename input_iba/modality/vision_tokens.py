"""Features of vision transformers as maps: token sequences, and maps whose channels come last."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.hooks import Wrapping, find_layer, rewrap, unwrap

MOST_PREFIX_TOKENS = 16
"""Class, distillation and register tokens that are looked for before the tokens of the patches."""


@dataclass(frozen=True)
class VisionWrapping(Wrapping):
    """Features as maps (B, C, h, w), however they lie in what flows at a layer.

    Token sequences (B, P + h·w, C) become maps; the P tokens before those of the patches, such as
    the class token, are left alone. Whatever is neither a sequence nor a map is left as it is.

    Attributes:
        prefix: P, where the classifier says so.
        channels_last: Whether maps are (B, h, w, C).
    """

    prefix: int | None = None
    channels_last: bool = False

    def unwrap(self, output: Any, inputs: Tensor) -> Tensor:
        """Return the features as maps for images (B, ·, H, W)."""
        value = unwrap(output)
        if value.ndim == 4 and self.channels_last:
            return value.permute(0, 3, 1, 2)
        grid = self._grid(value, inputs)
        if grid is None:
            return value
        prefix, height, width = grid
        return value[:, prefix:].mT.reshape(len(value), -1, height, width)

    def rewrap(self, output: Any, value: Tensor, inputs: Tensor) -> Any:
        """Put maps (B, C, h, w) in place of the features."""
        old = unwrap(output)
        grid = self._grid(old, inputs)
        if old.ndim == 4 and self.channels_last:
            value = value.permute(0, 2, 3, 1)
        elif grid is not None:
            value = torch.cat([old[:, : grid[0]], value.flatten(2).mT], dim=1)
        return rewrap(output, value)

    def _grid(self, value: Tensor, inputs: Tensor) -> tuple[int, int, int] | None:
        """Return (P, h, w) of a sequence (B, P + h·w, C), or None for something else."""
        if value.ndim != 3 or inputs.ndim != 4:
            return None
        known = () if self.prefix is None else (self.prefix,)
        for prefix in (*known, *range(MOST_PREFIX_TOKENS + 1)):
            size = grid_size(value.shape[1] - prefix, inputs.shape[-2], inputs.shape[-1])
            if size is not None:
                return prefix, *size
        return None


def grid_size(patches: int, height: int, width: int) -> tuple[int, int] | None:
    """Return rows and columns of square patches that cover an image, or None where none do.

    Args:
        patches: Number of patches.
        height: H of the image, in pixels.
        width: W.

    >>> grid_size(196, 224, 224), grid_size(6, 32, 48), grid_size(197, 224, 224)
    ((14, 14), (2, 3), None)
    """
    if patches < 1:
        return None
    rows = max(round(math.sqrt(patches * height / width)), 1)
    columns = patches // rows
    fits = rows * columns == patches
    # Patches are square, up to a last one that the image's border cuts.
    square = abs(height / rows - width / columns) < 0.1 * height / rows if fits else False
    return (rows, columns) if square else None


def vision_wrapping(model: nn.Module, layer: str) -> VisionWrapping:
    """Return how a layer of a classifier of images puts out its features.

    Args:
        model: Of torchvision, timm, or any other place.
        layer: Name of the layer.
    """
    prefix = getattr(model, "num_prefix_tokens", None)  # timm
    if not isinstance(prefix, int):
        prefix = 1 if isinstance(getattr(model, "class_token", None), Tensor) else None
    swin = type(model).__name__.startswith("Swin")
    inner = layer.partition(".")[0] in ("features", "layers", "norm", "patch_embed")
    convolution = isinstance(find_layer(model, layer), nn.Conv2d)
    return VisionWrapping(prefix, channels_last=swin and inner and not convolution)
