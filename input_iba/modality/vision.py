"""Images: inputs (S, C, H, W), features (S, C', h, w), maps (S, H, W)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.core.hooks import Wrapping
from input_iba.core.smoothing import gaussian_smooth
from input_iba.core.tokens import NO_TOKENS, Behind, NoTokens
from input_iba.errors import AttributionError, import_extra
from input_iba.modality.base import Layout, Modality
from input_iba.modality.critics import VisionCritic
from input_iba.modality.layer_choice import choose_image_layer
from input_iba.modality.vision_wrapping import vision_wrapping


class VisionModality(Modality):
    """Images of any number of channels and any size."""

    def enter(self, model: nn.Module, inputs: Tensor) -> tuple[Tensor, NoTokens]:
        """Return images as they are.

        Raises:
            AttributionError: They are not floating-point values (S, C, H, W).
        """
        if inputs.ndim != 4 or not inputs.is_floating_point():
            raise AttributionError(
                f"Images are normalised floating-point values of shape (samples, channels, height, "
                f"width); got {inputs.dtype} of shape {tuple(inputs.shape)}."
                f"{' Give x[None] for one image.' if inputs.ndim == 3 else ''}"
            )
        return inputs, NO_TOKENS

    def choose_layer(self, model: nn.Module, example: Tensor) -> str:
        """Return a layer as `choose_image_layer` does."""
        return choose_image_layer(model, example)

    def variations(self, inputs: Tensor, count: int) -> Iterator[Tensor]:
        """Yield crops of a half to all of an image, mirrored or not, a little shifted."""
        generator = torch.Generator().manual_seed(0)
        height, width = inputs.shape[2:]
        for i in range(count):
            image = inputs[i % len(inputs)][None]
            share, top, left, mirrored, down, along = torch.rand(6, generator=generator).tolist()
            rows, columns = (max(round(math.sqrt((1 + share) / 2) * n), 1) for n in (height, width))
            first, start = round(top * (height - rows)), round(left * (width - columns))
            crop = image[:, :, first : first + rows, start : start + columns]
            view = F.interpolate(crop, (height, width), mode="bilinear", antialias=True)
            shifts = (round((down - 0.5) * height / 4), round((along - 0.5) * width / 4))
            view = view.roll(shifts, (2, 3))
            yield view.flip(3) if mirrored < 0.5 else view

    def wrapping(
        self, model: nn.Module, layer: str, side: str, layout: Layout | None = None
    ) -> Wrapping:
        """Find out where the positions lie, by changing parts of an image."""
        return vision_wrapping(model, layer, layout)

    def check_features(self, features: Tensor, layer: str) -> None:
        """Refuse features that have no height and width."""
        if features.ndim != 4:
            raise AttributionError(
                f"Layer {layer!r} puts out features of shape {tuple(features.shape[1:])}; expected "
                "(channels, height, width). Choose a layer before the features are flattened: "
                "'input-iba layers CONFIG' lists layers with their shapes; layout= says where "
                "height and width are, if they are there."
            )

    def smooth(self, mask: Tensor, sigma: float) -> Tensor:
        """Smooth with a Gaussian, reflecting at the border."""
        return gaussian_smooth(mask, sigma)

    def position_bits(self, capacity: Tensor) -> Tensor:
        """Sum over channels."""
        return capacity.sum(1) / math.log(2)

    def saliency(self, capacity: Tensor, inputs: Tensor) -> Tensor:
        """Sum over channels, divide by the pixels per position, and enlarge bilinearly.

        References:
            Schulz et al. 2020 (arXiv 2001.00396); docs/METHOD.md, section 2.
        """
        bits = self.position_bits(capacity)[:, None]
        height, width = inputs.shape[-2:]
        share = bits.shape[-2] * bits.shape[-1] / (height * width)
        return self.spread(bits * share, inputs)

    def spread(self, values: Tensor, inputs: Tensor) -> Tensor:
        """Enlarge bilinearly."""
        size = inputs.shape[-2:]
        return F.interpolate(values, size, mode="bilinear", align_corners=False)[:, 0]

    def expand(self, saliency: Tensor, inputs: Tensor) -> Tensor:
        """Give every channel the same map."""
        return saliency[:, None].expand_as(inputs).contiguous()

    def to_map(self, mask: Tensor) -> Tensor:
        """Average over channels."""
        return mask.mean(1)

    def noise_shape(self, inputs: Tensor) -> tuple[int, ...]:
        """One value per channel."""
        return (inputs.shape[1], 1, 1)

    def critic(self, features: Tensor) -> nn.Module:
        """Build a convolutional critic."""
        channels, height, width = features.shape[1:]
        return VisionCritic(channels, height, width)

    def picture(self, one: Tensor) -> Tensor | None:
        """Return an image of one or three channels stretched to 0…255."""
        if one.shape[0] not in (1, 3):
            return None
        low, high = one.amin(), one.amax()
        pixels = (one - low) / (high - low).clamp(min=1e-12) * 255
        return pixels.round().to(torch.uint8).cpu().expand(3, -1, -1)

    def window(
        self, inputs: Tensor, side: float, stride: float
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return squares of all channels."""
        channels, shorter = inputs.shape[1], min(inputs.shape[2:])
        window, step = (max(1, round(share * shorter)) for share in (side, stride))
        return (channels, window, window), (channels, step, step)

    def segments(self, inputs: Tensor, tokens: Behind, kind: str, tiles: int) -> Tensor:
        """Cut an image into tiles or superpixels, (H, W)."""
        return segment(inputs[0], kind, tiles)


SEGMENTS = ("grid", "slic")
"""Ways to cut an image."""


def segment(image: Tensor, kind: str, tiles: int) -> Tensor:
    """Cut an image (C, H, W) into segments: each pixel's number, (H, W), from 0 without a gap.

    `kind` is one of `SEGMENTS`; there are `tiles` per side, or fewer where there are fewer pixels.

    Raises:
        MissingExtraError: Superpixels are asked for without scikit-image.

    >>> segment(torch.zeros(1, 4, 4), "grid", 2).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    """
    height, width = image.shape[-2:]
    if kind == "slic":
        return _superpixels(image, tiles**2)
    down, across = min(tiles, height), min(tiles, width)
    rows = torch.arange(height, device=image.device) * down // height
    columns = torch.arange(width, device=image.device) * across // width
    return rows[:, None] * across + columns


def load_slic() -> Callable[..., NDArray[np.int64]]:
    """Import what makes superpixels, or raise a `MissingExtraError`."""
    package = import_extra("skimage.segmentation", "scikit-image", "samples")
    found: Callable[..., NDArray[np.int64]] = package.slic
    return found


def _superpixels(image: Tensor, count: int) -> Tensor:
    slic = load_slic()
    low, high = image.min(), image.max()
    pixels = ((image - low) / (high - low).clamp_min(1e-12)).permute(1, 2, 0)
    labels = slic(pixels.cpu().double().numpy(), n_segments=count, start_label=0, channel_axis=-1)
    numbers: Tensor = torch.unique(torch.from_numpy(labels), return_inverse=True)[1]
    return numbers.to(image.device)
