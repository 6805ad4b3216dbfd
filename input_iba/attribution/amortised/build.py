"""An explainer that has learned nothing, for a classifier and its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.attribution.amortised.explainer import Explainer, Plan, watching
from input_iba.core.classifier import Classifier
from input_iba.core.explainable import weights_digest, working_values
from input_iba.core.head import find_head
from input_iba.core.targets import predictions
from input_iba.core.tokens import Behind
from input_iba.core.watched import Tap, WatchedClassifier
from input_iba.errors import AttributionError
from input_iba.modality import Layout, Modality

LEARNED = 64
"""Numbers that stand for a class where the classifier has none of its own."""


def entered(classifier: nn.Module, modality: Modality, inputs: Tensor) -> tuple[Tensor, Behind]:
    """Return a user's inputs as an explainer and its classifier read them, (B, …)."""
    values, tokens = modality.enter(classifier, inputs)
    return working_values(values, classifier), tokens


@torch.no_grad()
def build_explainer(
    classifier: Classifier,
    modality: Modality,
    inputs: Tensor,
    tokens: Behind,
    *,
    taps: Sequence[str] | None = None,
    layout: Layout | None = None,
    seed: int = 0,
) -> tuple[Explainer, WatchedClassifier]:
    """Build an untrained explainer for a classifier; return it, and the classifier with its taps.

    Args:
        classifier: What is to be explained.
        modality: Its kind of input.
        inputs: A few inputs as `Modality.enter` returned them, (n, …): on the first is found what
            to read, and on all how large features are.
        tokens: What stands behind them.
        taps: Names of layers to read; None for those that the kind of input chooses.
        layout: How features lie there, where the caller knows.
        seed: Of the random weights.

    Raises:
        AttributionError: The classifier puts out no logits (B, classes).
        ConfigError: There is no layer to read.
    """
    model = classifier.model
    with classifier.frozen():
        one = (inputs[:1], tokens.select(slice(1)))
        logits = classifier.logits(*one)
        if logits.ndim != 2:
            raise AttributionError(
                f"An explainer is trained for classifiers that put out logits (B, classes); "
                f"{type(model).__name__} puts out shape {tuple(logits.shape)}. Explain it with "
                "InputIBA, which answers other questions too."
            )
        head = find_head(model, lambda: classifier.logits(*one))
        chosen = [Tap(name) for name in taps or ()] or modality.taps(
            model, *one, lambda: classifier.logits(*one), None if head is None else head.read
        )
        how: dict[str, Any] = {"autocast": classifier.autocast, "output": classifier.output}
        watched = watching(model, chosen, modality, layout, **how)
        answers, features = watched.look(inputs, tokens)
    labels = predictions(answers)
    vectors = None if head is None else head.vectors
    plan = Plan(
        kind=modality.kind,
        taps=tuple((tap.layer, tap.side) for tap in chosen),
        features=tuple(tuple(part.shape[1:]) for part in features),
        inputs=tuple(inputs.shape[1:]),
        classes=max(logits.shape[1], 2),
        asked=LEARNED if vectors is None else vectors.shape[1],
        given=vectors is not None,
        classifier=weights_digest(model),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        explainer = Explainer(plan, vectors)
    explainer.to(inputs.device)
    explainer.decoder.fit([part.float() for part in features], explainer.vectors[labels])
    return explainer, watched
