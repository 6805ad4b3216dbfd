"""What methods share: the samples, one interface, and the checks of their settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.attribution.amortised import Explainer
from input_iba.attribution.task import Task
from input_iba.core.hooks import Wrapping, find_layer
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import SCORES, target_scores
from input_iba.errors import AttributionError, ConfigError, import_extra
from input_iba.modality import Layout
from input_iba.records import FeatureStatistics
from input_iba.registry import BASELINES
from input_iba.settings import Settings, setting

Needs = Literal["nothing", "background", "statistics"]
"""What a method asks of the estimation set: some of its inputs, or a layer's statistics."""


@dataclass(frozen=True)
class Method(Settings, ABC):
    """A method of attribution with its settings; one instance explains any number of samples.

    Attributes:
        name: The method's name, as configs and commands have it.
        signed: Whether negative values speak against the target; else maps are not negative.
        explains: Kinds of input that it can explain.
        needs: What it asks of the estimation set.
        planar: Whether its masks have two dimensions, as those of signals and volumes have not.
        uses_captum: Whether captum computes it.
        one_by_one: Whether samples go through one after the other, because a method's own
            inputs of one sample keep a device busy.
        counted_by: Setting that says how many inputs these are; empty for one.
    """

    PLACE = "baseline."

    name: ClassVar[str]
    signed: ClassVar[bool] = False
    explains: ClassVar[frozenset[str]] = frozenset({"images", "texts"})
    needs: ClassVar[Needs] = "nothing"
    planar: ClassVar[bool] = False
    uses_captum: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = False
    counted_by: ClassVar[str] = ""

    @property
    def rows_per_sample(self) -> int:
        """Inputs that one sample sends through the classifier at once, if memory allows."""
        return int(getattr(self, self.counted_by)) if self.counted_by else 1

    @property
    def layer_name(self) -> str:
        """Name of the layer that the method looks at; empty for none."""
        return str(getattr(self, "layer", ""))

    def check(self, classifier: nn.Module) -> None:
        """Refuse a classifier that the method cannot explain.

        Raises:
            MissingExtraError: A package that the method needs is not installed.
            LayerNotFoundError: The classifier does not have the layer that the method looks at.
        """
        if self.uses_captum:
            captum_attr()
        if self.layer_name:
            find_layer(classifier, self.layer_name)

    def fingerprint(self) -> str:
        """Return a digest of what the method reads from a file; empty where it reads none."""
        return ""

    def reader(self, classifier: nn.Module) -> Explainer | None:
        """Return what reads the features of a classifier in the pass in which it answers, if any.

        Raises:
            DataError: The method's file cannot be read.
            ConfigError: It is for another classifier.
        """
        return None

    def explain(self, task: MethodTask) -> Tensor:
        """Return the maps of S samples in the method's own units, (S, H, W) or (S, T).

        Of texts they are 0 at padding and special tokens.

        Raises:
            AttributionError: The method does not fit the classifier, or lacks what it needs.
        """
        if self.planar and task.inputs.ndim != 4:
            raise AttributionError(
                f"Method {self.name!r} makes masks of two dimensions and explains images (C, H, W) "
                f"alone; got inputs {tuple(task.inputs.shape[1:])}. Occlusion, the methods of "
                "gradients and class activation maps explain signals and volumes too."
            )
        samples, maps = len(task.ids), list[Tensor]()
        at_once = task.internal_batch_size // self.rows_per_sample
        size = 1 if self.one_by_one else max(1, at_once)
        for start in range(0, samples, size):
            stop = min(start + size, samples)
            part = task.select(range(start, stop))
            found = part.tokens.zeroed(self.maps(part).detach())
            maps.append(F.pad(found, (0, task.map_size[-1] - found.shape[-1])))
            if task.progress is not None:
                task.progress(self.name, stop, samples, {})
        return torch.cat(maps)

    @abstractmethod
    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W) or (s, T); of one if `one_by_one` is set."""


def check_explains(method: type[Method], kind: str) -> None:
    """Refuse a method that cannot explain a kind of input.

    Raises:
        ConfigError: Names those that can.
    """
    if kind not in method.explains:
        able = [name for name, other in BASELINES.module_dict.items() if kind in other.explains]
        remedy = "Explain one of them, and pass the others as additional_forward_args=."
        if able:
            remedy = f"Methods that can: {', '.join(able)}."
        raise ConfigError(f"Method {method.name!r} cannot explain {kind}. {remedy}")


@dataclass(frozen=True)
class ScoringMethod(Method):
    """A method that explains one number of each sample."""

    score: str = setting("logit", "what is explained", choices=SCORES)


def captum_attr() -> Any:
    """Import captum's methods, or raise a `MissingExtraError`."""
    return import_extra("captum.attr", "captum", "baselines")


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
