"""What all baselines share: their samples, the scores they explain, and one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from input_iba.core.hooks import find_layer
from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import Progress
from input_iba.core.tap import logits_of
from input_iba.core.targets import SCORES, TargetLosses, target_scores
from input_iba.errors import ConfigError, MissingExtraError, check_positive
from input_iba.records import FeatureStatistics

Needs = Literal["nothing", "background", "statistics"]
"""What a method asks of the estimation set: some of its inputs, or a layer's statistics."""


class Scorer(nn.Module):
    """The classifier's score for the targets of S samples, as packages of attribution want it.

    Args:
        classifier: Maps (B, C, H, W) to logits.
        losses: The S targets.
        kind: One of `SCORES`.
        use_softmax: Whether the classes exclude each other.
        autocast: Type in which the classifier computes, or None for its own.
    """

    def __init__(
        self,
        classifier: nn.Module,
        losses: TargetLosses,
        kind: str,
        use_softmax: bool,
        autocast: torch.dtype | None,
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.losses = losses
        self.kind = kind
        self.use_softmax = use_softmax
        self.autocast = autocast

    def forward(self, rows: Tensor) -> Tensor:
        """Map inputs (S·K, C, H, W), K in turn for every sample, to scores (S·K,)."""
        logits = logits_of(self.classifier, rows, self.autocast)
        grouped = logits.reshape(len(self.losses), -1, logits.shape[1])
        return target_scores(grouped, self.losses, self.kind, self.use_softmax).flatten()


@dataclass(frozen=True)
class BaselineTask:
    """S samples to explain, and how to run the classifier on them.

    Attributes:
        classifier: Frozen.
        inputs: Normalised inputs, (S, C, H, W).
        logits: The classifier's logits for them, (S, classes).
        losses: The S targets' losses.
        ids: The S samples' ids; with the seed they decide all random numbers.
        seed: Seed of the run.
        use_softmax: Whether the classes exclude each other.
        autocast: Type in which the classifier computes, or None for its own.
        rows: Most inputs that the classifier sees at once.
        background: Inputs of the estimation set, (n, C, H, W), for methods that need them.
        statistics: Of a layer, likewise.
        progress: Told about every step.
    """

    classifier: nn.Module
    inputs: Tensor
    logits: Tensor
    losses: TargetLosses
    ids: tuple[str, ...]
    seed: int
    use_softmax: bool
    autocast: torch.dtype | None
    rows: int
    background: Tensor | None = None
    statistics: FeatureStatistics | None = None
    progress: Progress | None = None

    def scorer(self, kind: str) -> Scorer:
        """Return the score of the targets as a module."""
        return Scorer(self.classifier, self.losses, kind, self.use_softmax, self.autocast)

    def leaf(self) -> Tensor:
        """Return a copy of the inputs for packages that ask for their gradient, (S, C, H, W)."""
        return self.inputs.clone().requires_grad_()

    def run_one(self) -> Tensor:
        """Run the classifier on the first sample, for those who look at what it calls."""
        return logits_of(self.classifier, self.inputs[:1], self.autocast)

    def noise(self, stage: str) -> NoiseSource:
        """Return the random numbers of a method, from their beginning."""
        return NoiseSource(self.ids, self.seed, stage, self.inputs.device, self.inputs.dtype)

    def select(self, indices: Sequence[int]) -> BaselineTask:
        """Return the same task for some of the samples."""
        rows = list(indices)
        return replace(
            self,
            inputs=self.inputs[rows],
            logits=self.logits[rows],
            losses=self.losses.select(rows),
            ids=tuple(self.ids[i] for i in rows),
        )


@dataclass(frozen=True)
class Baseline(ABC):
    """A method of attribution with its settings; one instance explains any number of samples.

    Attributes:
        name: The method's name, as configs and commands have it.
        signed: Whether negative values speak against the target; else maps are not negative.
        needs: What it asks of the estimation set.
        uses_captum: Whether captum computes it.
        one_by_one: Whether samples go through one after the other, because a method's own
            inputs of one sample keep a device busy.
    """

    name: ClassVar[str]
    signed: ClassVar[bool] = False
    needs: ClassVar[Needs] = "nothing"
    uses_captum: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse settings that cannot be.

        Raises:
            ConfigError: Names the setting, its value and what is expected.
        """
        counts = [f.name for f in fields(self) if f.name.startswith("n_") or f.name == "tiles"]
        check_positive(f"baseline {self.name!r}", self, *counts)
        check_choice(self, "score", SCORES)

    @property
    def rows_per_sample(self) -> int:
        """Inputs that one sample sends through the classifier at once, if memory allows."""
        return 1

    @property
    def layer_name(self) -> str:
        """Name of the layer that the method looks at; empty for none."""
        return str(getattr(self, "layer", ""))

    def check(self, classifier: nn.Module) -> None:
        """Say now what would keep the method from explaining the classifier.

        Raises:
            MissingExtraError: A package that the method needs is not installed.
            LayerNotFoundError: The classifier does not have the layer that the method looks at.
        """
        if self.uses_captum:
            captum_attr()
        if self.layer_name:
            find_layer(classifier, self.layer_name)

    def explain(self, task: BaselineTask) -> Tensor:
        """Return the maps of S samples in the method's own units, (S, H, W).

        Raises:
            AttributionError: The method does not fit the classifier, or lacks what it needs.
        """
        samples, maps = len(task.ids), list[Tensor]()
        size = 1 if self.one_by_one else max(1, task.rows // self.rows_per_sample)
        for start in range(0, samples, size):
            stop = min(start + size, samples)
            maps.append(self.maps(task.select(range(start, stop))).detach())
            if task.progress is not None:
                task.progress(self.name, stop, samples, {})
        return torch.cat(maps)

    @abstractmethod
    def maps(self, task: BaselineTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W); of one where `one_by_one` is set."""


def check_choice(settings: Baseline, name: str, known: Sequence[str]) -> None:
    """Refuse a setting that is none of the known names; settings without it pass.

    Raises:
        ConfigError: Names the setting, its value and the known ones.
    """
    value = getattr(settings, name, None)
    if value is not None and value not in known:
        raise ConfigError(
            f"'{name}' of baseline {settings.name!r} must be one of "
            f"{', '.join(map(repr, known))}, got {value!r}."
        )


def captum_attr() -> Any:
    """Import captum's methods.

    Raises:
        MissingExtraError: captum is not installed.
    """
    try:
        import captum.attr
    except ImportError as error:
        raise MissingExtraError("captum", "baselines") from error
    return captum.attr
