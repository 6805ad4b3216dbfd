"""The samples that a method explains, and what it may ask about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from input_iba.attribution.amortised import Explainer
from input_iba.attribution.task import Task
from input_iba.core.hooks import Wrapping
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import target_scores
from input_iba.errors import AttributionError
from input_iba.modality import Layout
from input_iba.records import FeatureStatistics


@dataclass(frozen=True)
class MethodTask(Task):
    """S samples to explain by a method.

    Attributes:
        layout: How features lie at a layer, where the caller says so.
        wrappings: How features lie at layers, by name and side, kept from task to task.
        background: Inputs of the estimation set, (n, C, H, W), for methods that need them.
        statistics: Of a layer, likewise.
        features: What flowed where `explainer` reads, (S, …) each.
        explainer: What reads them, where the method has a reader.
    """

    internal_batch_size: int = 1
    layout: Layout | None = None
    wrappings: dict[tuple[str, str], Wrapping] = field(default_factory=dict)
    background: Tensor | None = None
    statistics: FeatureStatistics | None = None
    features: tuple[Tensor, ...] = ()
    explainer: Explainer | None = None

    @property
    def model(self) -> nn.Module:
        """The network itself."""
        return self.classifier.model

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
            self.wrappings[place] = self.modality.wrapping(self.model, layer, side, self.layout)
        return TappedClassifier(
            self.model,
            layer,
            side=side,
            autocast=self.classifier.autocast,
            wrapping=self.wrappings[place],
            run=self.modality.run,
            output=self.classifier.output,
        ).answering(self.classifier.answer)

    def references(self, method: str, at_least: int = 1) -> Tensor:
        """Return the inputs of the estimation set to compare with, (n, C, H, W).

        Raises:
            AttributionError: There are too few, or they are of another size.
        """
        if self.background is None or len(self.background) < at_least:
            raise AttributionError(
                f"Method {method!r} compares with inputs of the estimation set and needs at least "
                f"{at_least}. Give background=... (n, C, H, W) to the MethodAttributor."
            )
        if self.background.shape[1:] != self.inputs.shape[1:]:
            raise AttributionError(
                f"Method {method!r} compares inputs of shape {tuple(self.inputs.shape[1:])} "
                f"with a background of shape {tuple(self.background.shape[1:])}. Let both "
                "pipelines resize to one size."
            )
        return self.background.to(self.inputs)

    def leaf(self) -> Tensor:
        """Return a copy of the inputs for packages that ask for their gradient, (S, …)."""
        return self.inputs.clone().requires_grad_()

    def run(self, rows: Tensor) -> Tensor:
        """Return logits (S·K, classes) of changed inputs (S·K, …), K in turn for every sample.

        Of texts, padding and special tokens get the embeddings back that they have unchanged.
        """
        copies = len(rows) // len(self.ids)
        tokens = self.tokens.repeat(copies)
        rows = tokens.only_scored(rows, self.inputs.detach().repeat_interleave(copies, 0))
        return self.classifier.logits(rows, tokens)

    def run_one(self) -> Tensor:
        """Run the classifier on the first sample, for those who look at what it calls."""
        one = self.select([0])
        return one.run(one.inputs)

    def select(self, indices: Sequence[int]) -> MethodTask:
        """Return the same task for some of the samples; texts with no more padding than needed."""
        some = super().select(indices)
        tokens, rows = some.tokens.trimmed(), list(indices)
        features = tuple(tokens.cut(part[rows]) for part in some.features)
        return replace(some, inputs=tokens.cut(some.inputs), tokens=tokens, features=features)


class Scorer(nn.Module):
    """The classifier's score, of a kind of `SCORES`, for the targets of S samples, as a module."""

    def __init__(self, task: MethodTask, kind: str) -> None:
        super().__init__()
        self.classifier = task.model  # whose modules packages look for here
        self.task = task
        self.kind = kind

    def forward(self, rows: Tensor) -> Tensor:
        """Map inputs (S·K, …), K in turn for every sample, to scores (S·K,)."""
        task, logits = self.task, self.task.run(rows)
        grouped = logits.reshape(len(task.ids), -1, *logits.shape[1:])
        return target_scores(grouped, task.losses, self.kind, task.use_softmax).flatten()
