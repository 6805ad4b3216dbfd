"""Inputs in memory, with the black box's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ExplainedInputs:
    """Inputs in memory, with what the black box says about them.

    Attributes:
        inputs: (N, …): pictures uint8 (N, C, H, W), or token indices (N, T).
        log_probabilities: ln p of the black box on whole inputs (N, classes), float32.
        prepare: Maps a batch of `inputs` to what explainer and black box take, on their device.
    """

    inputs: Tensor
    log_probabilities: Tensor
    prepare: Callable[[Tensor], Tensor]

    def __len__(self) -> int:
        return len(self.inputs)

    def evenly(self, count: int) -> Tensor:
        """Take some inputs at equal distances: folders of pictures are sorted by class.

        >>> numbers = torch.arange(10)
        >>> ExplainedInputs(numbers, numbers, prepare=torch.neg).evenly(3)
        tensor([0, 3, 6])
        """
        return self.inputs[:: max(len(self) // count, 1)][:count]

    def batches(
        self, size: int, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield prepared inputs and ln p, in random order if there is a generator."""
        total = len(self)
        order = (
            torch.arange(total) if generator is None else torch.randperm(total, generator=generator)
        )
        for indices in torch.split(order, size):
            yield self.prepare(self.inputs[indices]), self.log_probabilities[indices]
