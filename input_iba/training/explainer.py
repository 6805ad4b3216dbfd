"""Training of explainers that read what a classifier computes anyway."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.attribution.amortised import (
    WEIGHTS,
    Explainer,
    behind_noise,
    build_explainer,
    divergence,
    entered,
    facts_of,
)
from input_iba.attribution.attributor import Attributor
from input_iba.core.tokens import Behind
from input_iba.core.watched import WatchedClassifier
from input_iba.modality import Layout, Modality
from input_iba.training.explainer_settings import ExplainerTraining, Objective
from input_iba.training.lessons import AT_ONCE, Lessons, teach
from input_iba.training.loop import Loop, autocasting, progress_bar
from input_iba.training.trainer import Trainer, Validation

VALIDATION_SHARE = 0.05
"""Share of the inputs that is held out."""


class ExplainerTrainer(Trainer[Lessons]):
    """Trains an explainer in place; the classifier stays as it is.

    Args:
        explainer: What is trained.
        classifier: With its taps, prepared as long as the training lasts.
        modality: The kind of input.
        lessons: What is trained on.
        held_out: What the best epoch is chosen on.
        settings: How to train, and `objective` what for.
        device: Where to compute.
        use_softmax: Whether the classes exclude each other.
    """

    def __init__(
        self,
        explainer: Explainer,
        classifier: WatchedClassifier,
        modality: Modality,
        lessons: Lessons,
        held_out: Lessons,
        settings: ExplainerTraining,
        objective: Objective,
        device: torch.device,
        use_softmax: bool = True,
    ) -> None:
        self.explainer = explainer.to(device)
        self.classifier, self.modality = classifier, modality
        self.lessons, self.held_out = lessons, held_out
        self.settings, self.objective = settings, objective
        self.device, self.use_softmax = device, use_softmax
        learned = [p for p in explainer.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(learned, settings.lr, weight_decay=settings.weight_decay)
        steps = math.ceil(len(lessons.labels) / settings.batch_size)
        super().__init__(explainer, optimizer, settings.epochs, steps, settings.seed, rise=0.1)

    def batches(self, generator: torch.Generator) -> Iterator[Lessons]:
        """Yield lessons in random order, their images cropped and mirrored."""
        order = torch.randperm(len(self.lessons.labels), generator=generator)
        for rows in torch.split(order, self.settings.batch_size):
            batch = self.lessons.take(rows)
            how = (self.settings.crop, self.settings.flip, generator)
            inputs, maps = self.modality.moved(batch.inputs, batch.maps, *how)
            yield replace(batch, inputs=inputs, maps=maps)

    def size(self, batch: Lessons) -> int:
        """Return the number of lessons."""
        return len(batch.labels)

    def loss(self, batch: Lessons) -> dict[str, Tensor]:
        """Return the mean loss of a batch in nats, and its parts."""
        values, tokens, labels, logits = self._asked(batch)
        parts = {"divergence": self._divergence(batch, tokens, logits).mean()}
        total = self.objective.maps * parts["divergence"]
        if self.objective.behind > 0:
            spread = self.explainer.decoder.enlarged(logits, values)
            how = (labels, self.objective.beta, self.use_softmax)
            found = behind_noise(self.classifier, self.modality, values, tokens, spread, *how)
            parts["objective"] = found.mean()
            total = total + self.objective.behind * parts["objective"]
        return {"loss": total, **parts}

    def _asked(self, batch: Lessons) -> tuple[Tensor, Behind, Tensor, Tensor]:
        """Return inputs as the classifier reads them, what is behind, labels, and masks' logits."""
        labels = batch.labels.to(self.device)
        with torch.no_grad():
            model = self.classifier.model
            values, tokens = entered(model, self.modality, batch.inputs.to(self.device))
            _, features = self.classifier.look(values, tokens)
        with autocasting(self.device, self.classifier.autocast):
            logits = self.explainer(values, features, labels, tokens.counted).float()
        return values, tokens, labels, logits

    def _divergence(self, batch: Lessons, tokens: Behind, logits: Tensor) -> Tensor:
        of_positions = logits.squeeze(self.modality.channels)
        counted = None if tokens.counted is None else tokens.counted[..., 0]
        return divergence(of_positions, batch.maps.to(self.device), counted)

    def update(self) -> None:
        """Change the weights along the gradient, cut to its greatest norm."""
        nn.utils.clip_grad_norm_(self.explainer.parameters(), self.settings.clip)
        super().update()

    @torch.no_grad()
    def validate(self) -> Validation:
        """Return how far what is held out is from the maps of the optimised method."""
        self.explainer.eval()
        total, count = 0.0, len(self.held_out.labels)
        for rows in torch.split(torch.arange(count), self.settings.batch_size):
            batch = self.held_out.take(rows)
            _, tokens, _, logits = self._asked(batch)
            total += float(self._divergence(batch, tokens, logits).sum())
        found = total / count
        return Validation(-found, {"divergence": found}, f"divergence {found:.3f} nats")


def untrained(
    teacher: Attributor,
    inputs: Tensor,
    *,
    taps: Sequence[str] | None = None,
    layout: Layout | None = None,
    seed: int = 0,
) -> tuple[Explainer, WatchedClassifier]:
    """Build an explainer that has learned nothing, and the classifier with its taps.

    Args:
        teacher: The optimised method, whose classifier it is.
        inputs: Those that it will learn from, (N, …).
        taps: Names of layers to read; None for those that suit the classifier.
        layout: How features lie there, where the caller knows.
        seed: Of the weights.

    Raises:
        AttributionError, ConfigError: As `build_explainer`.
    """
    some = inputs[:AT_ONCE].to(teacher.device)
    values, tokens = entered(teacher.classifier.model, teacher.modality, some)
    how: dict[str, Any] = {"taps": taps, "layout": layout, "seed": seed}
    return build_explainer(teacher.classifier, teacher.modality, values, tokens, **how)


def taught(
    teacher: Attributor,
    inputs: Tensor,
    explainer: Explainer,
    settings: ExplainerTraining,
    folder: Path | None = None,
) -> Lessons:
    """Return what an explainer is to learn from inputs (N, …), with a progress bar; see `teach`."""
    views = settings.views_of(teacher.modality)
    how: dict[str, Any] = {"views": views, "others": settings.others, "seed": settings.seed}
    with progress_bar(views * len(inputs), "inputs", "explaining") as bar:
        how |= {"folder": folder, "on_batch": bar.update}
        return teach(teacher, inputs, explainer.decoder.reduced, **how)


def train(
    explainer: Explainer,
    watched: WatchedClassifier,
    teacher: Attributor,
    lessons: Lessons,
    settings: ExplainerTraining,
    objective: Objective,
    **files: Any,
) -> float:
    """Train an explainer on lessons; return the least divergence on what is held out, in nats.

    `files` are further attributes of a `Loop`: where weights and state are kept.
    """
    trained_on, held_out = lessons.split(VALIDATION_SHARE, settings.seed)
    modality, device = teacher.modality, teacher.device
    first = entered(watched.model, modality, lessons.inputs[:1].to(device))
    how = (settings, objective, device, teacher.use_softmax)
    trainer = ExplainerTrainer(explainer, watched, modality, trained_on, held_out, *how)
    loop = Loop(trainer, weights=WEIGHTS, facts=lambda _: facts_of(explainer.plan), **files)
    with watched.prepared(*first):
        return -loop.run(*loop.resume(device))
