"""The samples that a baseline explains, and how it runs the classifier on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from input_iba.core.classifier import Classifier
from input_iba.core.hooks import Wrapping
from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import Progress
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import TargetLosses, target_scores
from input_iba.core.tokens import Tokens
from input_iba.modality import Layout, Modality
from input_iba.records import FeatureStatistics


class Scorer(nn.Module):
    """The classifier's score for the targets of S samples, as packages of attribution want it.

    Args:
        task: The samples, and how to run the classifier.
        kind: One of `SCORES`.
    """

    def __init__(self, task: BaselineTask, kind: str) -> None:
        super().__init__()
        self.classifier = task.classifier  # whose modules packages look for here
        self.task = task
        self.kind = kind

    def forward(self, rows: Tensor) -> Tensor:
        """Map inputs (S·K, …), K in turn for every sample, to scores (S·K,)."""
        task, logits = self.task, self.task.run(rows)
        grouped = logits.reshape(len(task.ids), -1, logits.shape[1])
        return target_scores(grouped, task.losses, self.kind, task.use_softmax).flatten()


@dataclass(frozen=True)
class BaselineTask:
    """S samples to explain, and how to run the classifier on them.

    Attributes:
        runner: Runs the classifier, frozen.
        modality: What kind of input the samples are.
        inputs: Normalised inputs, (S, C, H, W), or embeddings (S, T, E).
        logits: The classifier's logits for them, (S, classes).
        losses: The S targets' losses.
        ids: The S samples' ids; with the seed they decide all random numbers.
        seed: Seed of the run.
        use_softmax: Whether the classes exclude each other.
        rows: Most inputs that the classifier sees at once.
        layout: How features lie at a layer, where the caller says so.
        wrappings: How features lie at layers, by name and side, kept from task to task.
        background: Inputs of the estimation set, (n, C, H, W), for methods that need them.
        statistics: Of a layer, likewise.
        progress: Told about every step.
        tokens: The tokens behind embeddings, else None.
    """

    runner: Classifier
    modality: Modality
    inputs: Tensor
    logits: Tensor
    losses: TargetLosses
    ids: tuple[str, ...]
    seed: int
    use_softmax: bool
    rows: int
    layout: Layout | None = None
    wrappings: dict[tuple[str, str], Wrapping] = field(default_factory=dict)
    background: Tensor | None = None
    statistics: FeatureStatistics | None = None
    progress: Progress | None = None
    tokens: Tokens | None = None

    @property
    def classifier(self) -> nn.Module:
        """The network itself."""
        return self.runner.model

    @property
    def autocast(self) -> torch.dtype | None:
        """Type in which the classifier computes, or None for its own."""
        return self.runner.autocast

    @property
    def map_size(self) -> tuple[int, ...]:
        """Shape of one map: (H, W), or (T,) of texts."""
        return tuple(self.inputs.select(self.modality.channels, 0).shape[1:])

    def scorer(self, kind: str) -> Scorer:
        """Return the score of the targets as a module."""
        return Scorer(self, kind)

    def tapped(self, layer: str, side: str = "output") -> TappedClassifier:
        """Return the classifier with a tap at one of its layers."""
        place = (layer, side)
        if place not in self.wrappings:
            own = self.modality.wrapping(self.classifier, layer, side, self.layout)
            self.wrappings[place] = own
        return TappedClassifier(
            *(self.classifier, layer),
            side=side,
            autocast=self.autocast,
            wrapping=self.wrappings[place],
            run=self.modality.run,
            output=self.runner.output,
        )

    def leaf(self) -> Tensor:
        """Return a copy of the inputs for packages that ask for their gradient, (S, …)."""
        return self.inputs.clone().requires_grad_()

    def run(self, rows: Tensor) -> Tensor:
        """Run the classifier on changed inputs.

        Args:
            rows: (S·K, …), K in turn for every sample. Of texts, padding and special tokens get
                the embeddings back that they have unchanged.

        Returns:
            Logits (S·K, classes).
        """
        tokens = self.tokens
        if tokens is not None:
            copies = len(rows) // len(self.ids)
            tokens = tokens.repeat(copies)
            clean = self.inputs.detach().repeat_interleave(copies, 0)
            rows = torch.where(tokens.scored[..., None], rows, clean)
        return self.runner.logits(rows, tokens)

    def run_one(self) -> Tensor:
        """Run the classifier on the first sample, for those who look at what it calls."""
        one = self.select([0])
        return one.run(one.inputs)

    def noise(self, stage: str) -> NoiseSource:
        """Return the random numbers of a method, from their beginning."""
        return NoiseSource(self.ids, self.seed, stage, self.inputs.device, self.inputs.dtype)

    def select(self, indices: Sequence[int]) -> BaselineTask:
        """Return the same task for some of the samples; texts with no more padding than needed."""
        rows = list(indices)
        inputs, tokens = self.inputs[rows], self.tokens
        if tokens is not None:
            tokens = tokens.select(rows).trimmed()
            inputs = inputs[:, : tokens.ids.shape[1]]
        return replace(
            self,
            inputs=inputs,
            tokens=tokens,
            logits=self.logits[rows],
            losses=self.losses.select(rows),
            ids=tuple(self.ids[i] for i in rows),
        )
