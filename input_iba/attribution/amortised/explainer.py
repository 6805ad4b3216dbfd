"""A decoder of what a classifier computes anyway, for one classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.attribution.task import Task
from input_iba.core.explainable import weights_digest
from input_iba.core.hooks import find_layer
from input_iba.core.watched import Tap, WatchedClassifier
from input_iba.errors import AttributionError, ConfigError
from input_iba.modality import Layout, Modality
from input_iba.modality.decoders import build_decoder

MEAN, DEVIATION = 1.0, 0.2
"""Of the logits of masks that are optimised by the preset fast, over an image."""


@dataclass(frozen=True)
class Plan:
    """What an explainer is, beside its weights: plain data.

    Attributes:
        kind: Kind of its inputs.
        taps: (layer, side) of each place at which it reads features.
        features: Shape of these for one input, such as (C', h, w).
        inputs: Shape of one input, (C, H, W); of texts (T, E).
        classes: How many classes it can be asked about.
        asked: Numbers that stand for a class.
        given: Whether these are the classifier's own weights, rather than learned.
        classifier: Digest of the classifier's weights.
    """

    kind: str
    taps: tuple[tuple[str, str], ...]
    features: tuple[tuple[int, ...], ...]
    inputs: tuple[int, ...]
    classes: int
    asked: int
    given: bool
    classifier: str


class Explainer(nn.Module):
    """Puts out the logit of a mask, given an input, the classifier's features, and a class.

    It is trained by `input_iba.AmortisedIBA` or `input-iba train explainer`.

    Args:
        plan: What it reads, and of which classifier.
        vectors: What stands for each class, (classes, asked), where the classifier says it.
    """

    def __init__(self, plan: Plan, vectors: Tensor | None = None) -> None:
        super().__init__()
        self.plan = plan
        self.decoder = build_decoder(plan.kind, plan.features, plan.inputs, plan.asked)
        if vectors is None:
            vectors = torch.randn(plan.classes, plan.asked)
        self.vectors = nn.Parameter(vectors.clone(), requires_grad=not plan.given)

    @property
    def taps(self) -> tuple[Tap, ...]:
        """Where it reads features."""
        return tuple(Tap(*tap) for tap in self.plan.taps)

    def forward(
        self,
        inputs: Tensor,
        features: Sequence[Tensor],
        labels: Tensor,
        counted: Tensor | None = None,
    ) -> Tensor:
        """Return the mask's logit, (B, 1, h', w') or (B, T, 1); `decoder.enlarged` spreads it.

        Args:
            inputs: Normalised images (B, C, H, W), or embeddings (B, T, E).
            features: Of each tap, (B, …).
            labels: Class indices, (B,).
            counted: False at padding, (B, T, 1); None where there is none.
        """
        values = inputs.to(self.vectors.dtype)  # of a double classifier they are double
        found: Tensor = self.decoder(values, features, self.vectors[labels], counted)
        return found

    def logits(
        self,
        inputs: Tensor,
        features: Sequence[Tensor],
        labels: Tensor,
        counted: Tensor | None = None,
    ) -> Tensor:
        """Return the mask's logit at every pixel, (B, 1, H, W); of words (B, T, 1)."""
        found = self(inputs, features, labels, counted).to(self.vectors.dtype)
        spread: Tensor = self.decoder.enlarged(found, inputs)
        return spread

    def maps(
        self,
        inputs: Tensor,
        features: Sequence[Tensor],
        labels: Tensor,
        counted: Tensor | None = None,
    ) -> Tensor:
        """Return the share of each pixel or word, (B, H, W) or (B, T); those of an input sum to 1.

        The mask's logit is that of a share of all bits. Among neighbours, which have nearly the
        same, the evidence grows with the square of how much a pixel differs from those around it;
        of images it is read as that of the optimised method is, of words as it is.

        References:
            docs/METHOD.md, section 12.
        """
        logits = self.logits(inputs, features, labels, counted)
        if counted is not None:
            logits = logits.where(counted, -torch.inf)
        spread = logits.squeeze(1 if counted is None else 2)
        shares = torch.softmax(spread.flatten(1), 1).view_as(spread)
        shares = self.decoder.read(shares, inputs)
        total = shares.flatten(1).sum(1).view(-1, *[1] * (shares.ndim - 1))
        return shares / total

    @torch.no_grad()
    def start(self, task: Task) -> Tensor:
        """Return the logit of the optimised method's mask at its start, (S, 1, H, W) or (S, T, 1).

        Its mean and deviation over each input are those that masks have when they are optimised.

        Raises:
            AttributionError: Something else than one class is asked about.
        """
        runner = task.classifier
        how: dict[str, Any] = {"autocast": runner.autocast, "output": runner.output}
        watched = self.to(task.inputs.device).watching(runner.model, task.modality, **how)
        watched.dtype = runner.dtype  # the weights' own, whatever they are held in for now
        with watched.frozen():
            _, features = watched.look(task.inputs, task.tokens)
        labels = labels_of(task)
        found = self.logits(task.inputs, features, labels, task.tokens.counted)
        counted = task.tokens.counted
        weight = torch.ones_like(found) if counted is None else counted.to(found)
        axes = tuple(range(1, found.ndim))
        count = weight.sum(axes, keepdim=True)
        mean = (found * weight).sum(axes, keepdim=True) / count
        deviation = ((found - mean).square() * weight).sum(axes, keepdim=True) / count
        return MEAN + DEVIATION * (found - mean) / deviation.sqrt().clamp_min(1e-6)

    def check(self, classifier: nn.Module) -> None:
        """Refuse another classifier than the one that the explainer was trained for.

        Raises:
            ConfigError: Its weights are others.
        """
        if weights_digest(classifier) != self.plan.classifier:
            raise ConfigError(
                f"The explainer was trained for a classifier with other weights than this "
                f"{type(classifier).__name__}: its maps would say nothing about it. Load the "
                "classifier's weights first, or train an explainer for it."
            )

    def reads(self, classifier: nn.Module) -> tuple[nn.Module, ...]:
        """Return the modules at which it reads features."""
        return tuple(find_layer(classifier, tap.layer) for tap in self.taps)

    def watching(
        self, classifier: nn.Module, modality: Modality, layout: Layout | None = None, **how: Any
    ) -> WatchedClassifier:
        """Return the classifier with taps where the explainer reads.

        `how` are further arguments of a `Classifier`.

        Raises:
            LayerNotFoundError: It has no such layer.
            ConfigError: Its inputs are of another kind.
        """
        if self.plan.kind != modality.kind:
            raise ConfigError(
                f"The explainer was trained for {self.plan.kind}, and these inputs are "
                f"{modality.kind}. Train one for them."
            )
        return watching(classifier, self.taps, modality, layout, **how)


def labels_of(task: Task) -> Tensor:
    """Return the classes that a task asks about, (S,), where the inputs are.

    Raises:
        AttributionError: Something else than one class is asked about.
    """
    asked = next((q.name for q in task.losses.questions if q.label is None), None)
    if asked is not None:
        raise AttributionError(
            f"A trained explainer answers what speaks for one class; asked was {asked!r}. Explain "
            "it with InputIBA, which answers other questions too."
        )
    return torch.tensor(task.losses.labels, device=task.inputs.device)


def watching(
    classifier: nn.Module,
    taps: Sequence[Tap],
    modality: Modality,
    layout: Layout | None = None,
    **how: Any,
) -> WatchedClassifier:
    """Return a classifier with taps; see `Explainer.watching`."""
    wrappings = [modality.wrapping(classifier, tap.layer, tap.side, layout) for tap in taps]
    return WatchedClassifier(classifier, taps, wrappings, run=modality.run, **how)


def plan_of(values: Mapping[str, Any]) -> Plan:
    """Return a plan from plain data, such as `dataclasses.asdict` makes of one.

    Raises:
        TypeError, KeyError, ValueError: They are not those of a plan.
    """
    return Plan(
        kind=str(values["kind"]),
        taps=tuple((str(layer), str(side)) for layer, side in values["taps"]),
        features=tuple(tuple(map(int, shape)) for shape in values["features"]),
        inputs=tuple(map(int, values["inputs"])),
        classes=int(values["classes"]),
        asked=int(values["asked"]),
        given=bool(values["given"]),
        classifier=str(values["classifier"]),
    )
