"""What stays the same through the three stages of one batch of samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import Bottleneck, BottleneckSettings, FittedMask, Progress, fit_mask
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import TargetLosses
from input_iba.errors import ConfigError
from input_iba.modality import Modality

PIXELS_AT_ONCE = 32 * 224 * 224
"""Pixels that the classifier sees at once on a CPU; accelerators get eight times as many."""


@dataclass(frozen=True)
class AttributionTask:
    """S samples to explain, and how to run the classifier on them.

    Attributes:
        classifier: The classifier with a tap at the chosen layer.
        modality: What kind of input the samples are.
        inputs: Normalised inputs, (S, C, H, W).
        logits: The classifier's logits for them, (S, classes).
        losses: The S targets' losses.
        ids: The S samples' ids; with the seed they decide all random numbers.
        seed: Seed of the run.
        internal_batch_size: Most rows that the classifier sees at once; None for no bound.
        progress: Told about every step of every stage.
    """

    classifier: TappedClassifier
    modality: Modality
    inputs: Tensor
    logits: Tensor
    losses: TargetLosses
    ids: tuple[str, ...]
    seed: int = 0
    internal_batch_size: int | None = None
    progress: Progress | None = None

    def noise(self, stage: str) -> NoiseSource:
        """Return the random numbers of one stage, from their beginning."""
        return NoiseSource(self.ids, self.seed, stage, self.inputs.device, self.inputs.dtype)

    def select(self, indices: Sequence[int]) -> AttributionTask:
        """Return the same task for some of the samples."""
        return replace(
            self,
            inputs=self.inputs[list(indices)],
            logits=self.logits[list(indices)],
            losses=self.losses.select(indices),
            ids=tuple(self.ids[i] for i in indices),
        )

    def in_rows(self, run: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
        """Apply `run` to (s, k, …) as rows (s·k, …); return (s, k, …)."""
        rows = run(values.flatten(0, 1))
        return rows.reshape(*values.shape[:2], *rows.shape[1:])

    def fit(
        self, bottleneck: Bottleneck, settings: BottleneckSettings, stage: str, noise: str
    ) -> FittedMask:
        """Fit the masks of a bottleneck to the targets.

        Args:
            bottleneck: Of the same samples.
            settings: Steps, learning rate, β, draws.
            stage: Name of the stage for people.
            noise: Name under which its random numbers are drawn.
        """
        return fit_mask(
            bottleneck,
            self.losses,
            self.noise(noise),
            settings,
            stage=stage,
            internal_batch_size=self.internal_batch_size,
            progress=self.progress,
        )


def checked_ids(ids: Sequence[str] | None, samples: int) -> tuple[str, ...]:
    """Return the ids of some samples, by default their positions.

    Raises:
        ConfigError: There are more or fewer than samples, or two are equal.
    """
    names = tuple(ids) if ids is not None else tuple(str(i) for i in range(samples))
    if len(names) != samples or len(set(names)) != len(names):
        raise ConfigError(
            f"Expected {samples} ids that differ from each other, got {len(names)} of which "
            f"{len(set(names))} differ."
        )
    return names


def rows_at_once(shape: Sequence[int], device: torch.device) -> int:
    """Return how many inputs of a shape (C, H, W) make up `PIXELS_AT_ONCE`, at least 8.

    >>> rows_at_once((3, 224, 224), torch.device("cpu"))
    32
    """
    scale = 1 if device.type == "cpu" else 8
    return max(scale * PIXELS_AT_ONCE // math.prod(shape[1:]), 8)
