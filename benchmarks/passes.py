"""The classifier's own passes, without anything around them: the least that the method can cost."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.meters import seconds_per_call
from benchmarks.setups import Setup
from input_iba.core.bottleneck import BottleneckSettings
from input_iba.core.suffix import ResumedClassifier

STEPS_TIMED = 3


def seconds_of_passes(
    setup: Setup, preset: str, autocast: torch.dtype | None, at_once: int
) -> dict[str, float]:
    """Time forward and backward passes over as many rows as the bottlenecks of a preset need.

    Prepared as in a run: batch norms folded, weights frozen, number format, memory layout, and
    features only sent through what lies behind the layer.

    Returns:
        Seconds per sample and stage, 0 for the prior.
    """
    attributor = setup.attributor(preset, autocast)
    images = setup.images[:at_once]
    classifier = attributor.classifier
    with classifier.prepared(images[:2]), classifier.frozen():
        features = classifier.features(images).detach()
        resumed = ResumedClassifier(classifier, images[:2])

        def behind_the_layer(rows: Tensor) -> Tensor:
            return resumed.logits(images, rows)

        of_features = _seconds(behind_the_layer, features, attributor.feature_iba)
        of_inputs = _seconds(classifier.logits, images, attributor.input_iba)
    seconds = {"feature_iba": of_features, "prior": 0.0, "input_iba": of_inputs}
    return {stage: value / at_once for stage, value in seconds.items()}


def _seconds(
    logits: Callable[[Tensor], Tensor], values: Tensor, settings: BottleneckSettings
) -> float:
    """Return the seconds of all steps, from some of them after one that warms up."""
    rows = values.repeat_interleave(settings.batch_size, 0).requires_grad_()

    def step() -> None:
        rows.grad = None
        logits(rows).sum().backward()  # type: ignore[no-untyped-call]

    return seconds_per_call(step, STEPS_TIMED, values.device) * settings.opt_steps
