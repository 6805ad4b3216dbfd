"""The samples that a method explains, and how it runs the classifier on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from input_iba.attribution.task import Task
from input_iba.core.hooks import Wrapping
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import target_scores
from input_iba.modality import Layout
from input_iba.records import FeatureStatistics


@dataclass(frozen=True)
class MethodTask(Task):
    """S samples to explain by a method.

    Attributes:
        internal_batch_size: Most inputs that the classifier sees at once.
        layout: How features lie at a layer, where the caller says so.
        wrappings: How features lie at layers, by name and side, kept from task to task.
        background: Inputs of the estimation set, (n, C, H, W), for methods that need them.
        statistics: Of a layer, likewise.
    """

    internal_batch_size: int = 1
    layout: Layout | None = None
    wrappings: dict[tuple[str, str], Wrapping] = field(default_factory=dict)
    background: Tensor | None = None
    statistics: FeatureStatistics | None = None

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
            own = self.modality.wrapping(self.model, layer, side, self.layout)
            self.wrappings[place] = own
        return TappedClassifier(
            self.model,
            layer,
            side=side,
            autocast=self.classifier.autocast,
            wrapping=self.wrappings[place],
            run=self.modality.run,
            output=self.classifier.output,
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
        tokens = some.tokens.trimmed()
        return replace(some, inputs=tokens.cut(some.inputs), tokens=tokens)


class Scorer(nn.Module):
    """The classifier's score for the targets of S samples, as packages of attribution want it.

    Args:
        task: The samples, and how to run the classifier.
        kind: One of `SCORES`.
    """

    def __init__(self, task: MethodTask, kind: str) -> None:
        super().__init__()
        self.classifier = task.model  # whose modules packages look for here
        self.task = task
        self.kind = kind

    def forward(self, rows: Tensor) -> Tensor:
        """Map inputs (S·K, …), K in turn for every sample, to scores (S·K,)."""
        task, logits = self.task, self.task.run(rows)
        grouped = logits.reshape(len(task.ids), -1, logits.shape[1])
        return target_scores(grouped, task.losses, self.kind, task.use_softmax).flatten()
