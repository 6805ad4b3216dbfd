"""Inputs in memory, with the black box's answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from input_iba.training.classifier import Labelled
from input_iba.vibi.black_box import BlackBox

MEASURED, MAX_PIXELS = 500, 1_600_000
"""Inputs, and pixels of them, whose fidelity is measured at once."""

UNASKED = torch.empty(0)
"""Stands for answers that the black box has not given yet."""

Inputs = TypeVar("Inputs", bound="ExplainedInputs")


@dataclass(frozen=True)
class Samples:
    """What is read for a run, with the fingerprint of the training set."""

    train: Labelled
    validation: Labelled
    test: Labelled
    class_names: Sequence[str]
    fingerprint: str


@dataclass(frozen=True)
class ExplainedInputs:
    """Inputs in memory, with what the black box says about them.

    Attributes:
        inputs: (N, …): images uint8 (N, C, H, W), or token indices (N, T).
        log_probabilities: ln p of the black box on whole inputs (N, classes), float32.
        prepare: Maps a batch of `inputs` to what explainer and black box take, on their device.
    """

    ASKED: ClassVar[int] = 500
    """Inputs that the black box is asked about at once."""

    inputs: Tensor
    log_probabilities: Tensor
    prepare: Callable[[Tensor], Tensor]

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def measured(self) -> int:
        """Number of inputs whose fidelity is measured at once: fewer where images are large."""
        pixels = math.prod(self.inputs.shape[2:])  # 1 of texts
        return max(1, min(MEASURED, MAX_PIXELS // pixels))

    def answered(
        self: Inputs, black_box: BlackBox, on_batch: Callable[[int], object] = lambda _: None
    ) -> Inputs:
        """Ask the black box about all inputs once, so that training need not.

        `on_batch` is called with the number of inputs of every batch, for progress.
        """
        found, order = [], []
        with torch.no_grad(), black_box.frozen():
            for rows in self.rows(min(self.ASKED, self.measured)):
                found.append(black_box.log_probabilities(self.at(rows)).cpu())
                order.append(rows)
                on_batch(len(rows))
        return replace(self, log_probabilities=torch.cat(found)[torch.cat(order).argsort()])

    def evenly(self, count: int) -> Tensor:
        """Take some inputs at equal distances: folders of images are sorted by class.

        >>> numbers = torch.arange(10)
        >>> ExplainedInputs(numbers, numbers, prepare=torch.neg).evenly(3)
        tensor([0, 3, 6])
        """
        return self.inputs[:: max(len(self) // count, 1)][:count]

    def batches(
        self, size: int, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield prepared inputs and ln p, in random order if there is a generator."""
        for rows in self.rows(size, generator):
            yield self.at(rows), self.log_probabilities[rows]

    def rows(self, size: int, generator: torch.Generator | None = None) -> Iterator[Tensor]:
        """Yield the positions of each batch, in random order if there is a generator."""
        if generator is None:
            order = torch.arange(len(self))
        else:
            order = torch.randperm(len(self), generator=generator)
        yield from torch.split(order, size)

    def at(self, rows: Tensor) -> Tensor:
        """Return the prepared inputs at some positions."""
        return self.prepare(self.inputs[rows])
