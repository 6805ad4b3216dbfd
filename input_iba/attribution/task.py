"""What stays the same through the three stages of one batch of samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from input_iba.core.bottleneck import Bottleneck, BottleneckSettings
from input_iba.core.checked import Checked, Entered, check_classifier
from input_iba.core.classifier import Classifier
from input_iba.core.explainable import working_values
from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import FittedMask, Progress, fit_mask
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import TargetLosses, target_of
from input_iba.core.tokens import Tokens
from input_iba.errors import ConfigError
from input_iba.modality import Modality
from input_iba.records import Targets

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class AttributionTask:
    """S samples to explain, and how to run the classifier on them.

    Attributes:
        classifier: The classifier with a tap at the chosen layer.
        modality: What kind of input the samples are.
        inputs: Normalised inputs, (S, C, H, W), or embeddings (S, T, E).
        logits: The classifier's logits for them, (S, classes).
        losses: The S targets' losses.
        ids: The S samples' ids; with the seed they decide all random numbers.
        seed: Seed of the run.
        internal_batch_size: Most rows that the classifier sees at once; None for no bound.
        progress: Told about every step of every stage.
        tokens: The tokens behind embeddings, else None.
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
    tokens: Tokens | None = None

    def noise(self, stage: str) -> NoiseSource:
        """Return the random numbers of one stage, from their beginning."""
        lengths = None if self.tokens is None else self.tokens.lengths
        return NoiseSource(
            self.ids, self.seed, stage, self.inputs.device, self.inputs.dtype, lengths
        )

    @property
    def counted(self) -> Tensor | None:
        """Which tokens are masked and scored, (S, T, 1); None where everything is."""
        return None if self.tokens is None else self.tokens.scored[..., None]

    def masked_only(self, noisy: Tensor, clean: Tensor, samples: slice) -> Tensor:
        """Undo noise where nothing is to be masked.

        Args:
            noisy: (s, k, …).
            clean: The same without noise, for all samples, (S, …).
            samples: Which of them.
        """
        if self.counted is None:
            return noisy
        return torch.where(self.counted[samples, None], noisy, clean[samples, None])

    def select(self, indices: Sequence[int]) -> AttributionTask:
        """Return the same task for some of the samples."""
        return replace(
            self,
            inputs=self.inputs[list(indices)],
            tokens=None if self.tokens is None else self.tokens.select(indices),
            logits=self.logits[list(indices)],
            losses=self.losses.select(indices),
            ids=tuple(self.ids[i] for i in indices),
        )

    def in_rows(
        self, run: Callable[[Tensor, Tokens | None], Tensor], values: Tensor, samples: slice
    ) -> Tensor:
        """Apply `run` to (s, k, …) as rows (s·k, …), with their tokens; return (s, k, …).

        Args:
            run: Gets the rows, and the tokens behind them.
            values: (s, k, …).
            samples: Which samples they belong to.
        """
        draws = values.shape[1]
        tokens = None if self.tokens is None else self.tokens.select(samples).repeat(draws)
        rows = run(values.flatten(0, 1), tokens)
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


def entered(modality: Modality, model: nn.Module, inputs: Tensor) -> Entered:
    """Return a user's inputs as a classifier is given them, in the type that masks have."""
    values, tokens = modality.enter(model, inputs.clone() if inputs.is_inference() else inputs)
    return working_values(values, model), tokens


def check_on(
    classifier: Classifier, modality: Modality, device: torch.device, example: Tensor
) -> Checked:
    """Check a classifier on one input of a user's, (1, …), and log what is odd."""
    alike = modality.padded(classifier.model, example)
    exact = copy(classifier)
    exact.autocast = None
    with exact.frozen():
        one, *pair = (
            entered(modality, classifier.model, inputs.to(device))
            for inputs in (example, *(alike or ()))
        )
        checked = check_classifier(exact, one, (pair[0], pair[1]) if pair else None)
    checked.say()
    return checked


def one_by_one(
    modality: Modality,
    inputs: Tensor,
    targets: Targets | None,
    ids: tuple[str, ...],
    attribute: Callable[..., list[Kind]],
) -> list[Kind]:
    """Explain S inputs of a user's one after the other, each without padding."""
    found: list[Kind] = []
    for i, single in enumerate(modality.one_by_one(inputs)):
        found += attribute(single, target_of(targets, i), ids=ids[i : i + 1])
    return found


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
