"""The classifier to be explained, as VIBI asks it: pixels in [0, 1] in, distributions out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.core.modes import frozen


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

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep the classifier in eval mode without weight gradients; afterwards as it was."""
        with frozen(self.classifier):
            yield

    def log_probabilities(self, inputs: Tensor) -> Tensor:
        """Return ln p (B, classes), float32, with a gradient towards the inputs.

        Args:
            inputs: (B, …), pictures in [0, 1].
        """
        enabled = self.autocast is not None
        dtype = self.autocast or torch.bfloat16
        with torch.autocast(inputs.device.type, dtype, enabled=enabled):
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
