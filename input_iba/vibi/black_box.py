"""The classifier to be explained: how it is asked, and how one of images is trained for VIBI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.core.modes import frozen
from input_iba.settings import setting
from input_iba.training.images import ImageTrainer
from input_iba.training.loop import autocasting
from input_iba.training.settings import ImageTraining
from input_iba.vibi.chunks import ChunkGrid

CHUNK_SIZES = (1, 2, 4, 8)
"""Sides of the chunks that are hidden at random, in pixels: those of the four explainers."""


class BlackBox:
    """A classifier behind its normalisation.

    Chunks are hidden before the normalisation, so a hidden chunk is background, as a person sees
    it, and not the mid-grey that a 0 in normalised space is.

    Args:
        classifier: Maps normalised inputs to logits (B, classes), or (B, 1) for two classes.
        normalize: Maps pixels in [0, 1] to its inputs; None leaves them as they are.
        autocast: Number format of its layers, or None for float32.
    """

    def __init__(
        self,
        classifier: nn.Module,
        normalize: Callable[[Tensor], Tensor] | None = None,
        autocast: torch.dtype | None = None,
    ) -> None:
        self.classifier = classifier
        self.normalize = normalize
        self.autocast = autocast

    def frozen(self) -> AbstractContextManager[nn.Module]:
        """Keep the classifier in eval mode without weight gradients; afterwards as it was."""
        return frozen(self.classifier)

    def log_probabilities(self, inputs: Tensor) -> Tensor:
        """Return ln p (B, classes), float32, with a gradient towards the inputs (B, …)."""
        with autocasting(inputs.device, self.autocast):
            logits = self.logits(inputs).float()
        return F.log_softmax(logit_per_class(logits), 1)

    def logits(self, inputs: Tensor) -> Tensor:
        """Return the classifier's own logits (B, classes), or (B, 1)."""
        given = self.inputs_of(inputs)
        if given.ndim == 4:
            given = given.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.classifier(given)
        return logits

    def inputs_of(self, pixels: Tensor) -> Tensor:
        """Return the classifier's own inputs of pixels in [0, 1]."""
        return pixels if self.normalize is None else self.normalize(pixels)

    @torch.no_grad()
    def in_batches(self, batches: Iterator[Tensor]) -> Tensor:
        """Return ln p (N, classes) of all batches, on the CPU."""
        with self.frozen():
            return torch.cat([self.log_probabilities(batch).cpu() for batch in batches])


def logit_per_class(logits: Tensor) -> Tensor:
    """Return a classifier's logits (B, classes) as they are, and (B, 1) as those of two classes.

    >>> logit_per_class(torch.tensor([[1.5]]))
    tensor([[0.0000, 1.5000]])
    """
    return torch.cat([torch.zeros_like(logits), logits], 1) if logits.shape[1] == 1 else logits


@dataclass(frozen=True)
class BlackBoxTraining(ImageTraining):
    """How to train a black box of images."""

    padding: int = 0
    flip: bool = False
    hidden_chunks: float = setting(
        0.0, "share of the images that are shown with hidden chunks", at_least=0, at_most=1
    )


class BlackBoxTrainer(ImageTrainer):
    """Trains a classifier that some images are shown to with chunks hidden at random.

    A classifier that never saw hidden chunks answers anything when it sees a few chunks only, and
    no choice of chunks can make it answer as it does for the whole image.
    """

    settings: BlackBoxTraining

    def augmented(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Shift, mirror and hide chunks, each as the settings say."""
        settings = self.settings
        if settings.padding or settings.flip:
            pixels = super().augmented(pixels, generator)
        if not settings.hidden_chunks:
            return pixels
        return hide_at_random(pixels.float(), settings.hidden_chunks, generator)


def hide_at_random(pixels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Hide chunks of a share of images (B, C, H, W): any number of them, of one size for all."""
    count, _, height, width = pixels.shape
    sizes = [size for size in CHUNK_SIZES if size <= min(height, width)]
    size = sizes[int(torch.randint(len(sizes), (), generator=generator))]
    grid = ChunkGrid(height, width, size)
    affected = torch.rand(count, 1, generator=generator) < share
    kept = torch.where(affected, torch.rand(count, 1, generator=generator), 1.0)
    shown = torch.rand(count, grid.count, generator=generator) < kept
    return grid.hide(pixels, shown[:, None].to(pixels.dtype))
