"""Training of a black box that knows what hidden chunks look like."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.training.images import (
    LabelledPixels,
    PictureTrainer,
    PictureTraining,
    Prepare,
    augment,
)
from input_iba.vibi.chunks import ChunkGrid

CHUNK_SIZES = (1, 2, 4, 8)
"""Sides of the chunks that are hidden at random, in pixels: those of the four explainers."""


class BlackBoxTrainer(PictureTrainer):
    """Trains a classifier that some pictures are shown to with chunks hidden at random.

    A classifier that never saw hidden chunks answers anything when it sees a few chunks only, and
    no choice of chunks can make it answer as it does for the whole picture.

    Args:
        model: The classifier; changed in place.
        data: Training set.
        prepare: Maps pixels in [0, 1] (B, C, H, W) to inputs of the classifier.
        settings: How to train.
        device: Where to compute.
        autocast: Number format of the layers, or None for float32.
        flip: Mirror half of the pictures.
        hidden_chunks: Share of the pictures that are shown with hidden chunks.
    """

    def __init__(
        self,
        model: nn.Module,
        data: LabelledPixels,
        prepare: Prepare,
        settings: PictureTraining,
        device: torch.device,
        autocast: torch.dtype | None = None,
        *,
        flip: bool = False,
        hidden_chunks: float = 0.0,
    ) -> None:
        self.flip = flip
        self.hidden_chunks = hidden_chunks
        super().__init__(model, data, prepare, settings, device, autocast)

    def augmented(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Shift, mirror and hide chunks, each as the settings say."""
        if self.settings.padding or self.flip:
            pixels = augment(pixels, self.settings.padding, generator, self.flip)
        if not self.hidden_chunks:
            return pixels
        return hide_at_random(pixels.float(), self.hidden_chunks, generator)


def hide_at_random(pixels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Hide chunks of a share of the pictures: any number of chunks, of one size for all.

    Args:
        pixels: (B, C, H, W), 0 being background.
        share: Of the pictures, in [0, 1].
        generator: Draws size, pictures and chunks.
    """
    count, _, height, width = pixels.shape
    sizes = [size for size in CHUNK_SIZES if size <= min(height, width)]
    size = sizes[int(torch.randint(len(sizes), (), generator=generator))]
    grid = ChunkGrid(height, width, size)
    affected = torch.rand(count, 1, generator=generator) < share
    kept = torch.where(affected, torch.rand(count, 1, generator=generator), 1.0)
    shown = torch.rand(count, grid.count, generator=generator) < kept
    return grid.hide(pixels, shown[:, None].to(pixels.dtype))
