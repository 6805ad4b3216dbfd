"""The samples of one batch, and how to run the classifier on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from torch import Tensor

from input_iba.core.bottleneck import Bottleneck, BottleneckSettings
from input_iba.core.classifier import Classifier
from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import FittedMask, Progress, fit_mask
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import TargetLosses
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.modality import Modality

Own = TypeVar("Own", bound="Task")


@dataclass(frozen=True)
class Task:
    """S samples to explain.

    Attributes:
        inputs: Normalised inputs, (S, C, H, W), or embeddings (S, T, E).
        logits: The classifier's logits for them, (S, classes), or what else is asked about.
        losses: The S targets' losses.
        ids: The S samples' ids; with the seed they decide all random numbers.
        internal_batch_size: Most rows that the classifier sees at once; None for no bound.
        progress: Told about every step of every stage.
        tokens: What stands behind the inputs.
        use_softmax: Whether the classes exclude each other.
    """

    classifier: Classifier
    modality: Modality
    inputs: Tensor
    logits: Tensor
    losses: TargetLosses
    ids: tuple[str, ...]
    seed: int = 0
    internal_batch_size: int | None = None
    progress: Progress | None = None
    tokens: Behind = NO_TOKENS
    use_softmax: bool = True

    @property
    def of_classes(self) -> bool:
        """Whether `logits` are those of classes."""
        return self.classifier.answer is None

    def noise(self, stage: str) -> NoiseSource:
        """Return the random numbers of one stage, from their beginning."""
        inputs, lengths = self.inputs, self.tokens.lengths
        return NoiseSource(self.ids, self.seed, stage, inputs.device, inputs.dtype, lengths)

    def select(self: Own, indices: Sequence[int]) -> Own:
        """Return the same task for some of the samples."""
        rows = list(indices)
        return replace(
            self,
            inputs=self.inputs[rows],
            tokens=self.tokens.select(rows),
            logits=self.logits[rows],
            losses=self.losses.select(rows),
            ids=tuple(self.ids[i] for i in rows),
        )

    def masked_only(self, noisy: Tensor, clean: Tensor, samples: slice) -> Tensor:
        """Undo noise on some samples (s, k, …) where nothing is to be masked; `clean` is (S, …)."""
        return self.tokens.select(samples).only_scored(noisy, clean[samples, None])

    def in_rows(
        self, run: Callable[[Tensor, Behind], Tensor], values: Tensor, samples: slice
    ) -> Tensor:
        """Apply `run` to (s, k, …) as rows (s·k, …), with their tokens; return (s, k, …)."""
        tokens = self.tokens.select(samples).repeat(values.shape[1])
        rows = run(values.flatten(0, 1), tokens)
        return rows.reshape(*values.shape[:2], *rows.shape[1:])


@dataclass(frozen=True)
class AttributionTask(Task):
    """S samples to explain by what flows at a layer, where the classifier has a tap."""

    classifier: TappedClassifier

    def fit(
        self, bottleneck: Bottleneck, settings: BottleneckSettings, stage: str, noise: str
    ) -> FittedMask:
        """Fit the masks of a bottleneck to the targets.

        `stage` is the name of the stage for people, `noise` that under which its noise is drawn.
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
