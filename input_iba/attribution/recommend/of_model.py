"""Recommend a setting for a model and inputs of a caller's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from input_iba.attribution.attributor import Attributor
from input_iba.attribution.recommend.candidates import Present
from input_iba.attribution.recommend.recommendation import Recommendation, layers_to_try, search
from input_iba.attribution.recommend.trials import Trials
from input_iba.core.classifier import Classifier
from input_iba.core.explainable import working_values
from input_iba.core.fitting import FittingRows
from input_iba.core.modes import frozen
from input_iba.core.outputs import Output
from input_iba.core.targets import ClassTarget
from input_iba.datasets.ids import drawn_order
from input_iba.errors import ConfigError
from input_iba.evaluation import EvaluationContext
from input_iba.evaluation.asking import Asking, case_of
from input_iba.evaluation.halving import SearchSettings
from input_iba.records import Sample

LOGGER = logging.getLogger(__name__)


def recommend(
    build: Callable[[Present], Attributor],
    present: Present,
    samples: Sequence[Sample],
    target: Any,
    estimation: Callable[[int], Iterable[Tensor]],
    settings: SearchSettings,
    seed: int = 0,
    output: Output | None = None,
) -> Recommendation:
    """Search for a setting; see `InputIBA.recommend`.

    Args:
        build: Makes the three stages of a setting.
        present: The setting from which the search begins.
        samples: What is explained.
        target: What is asked of all of them: a class, a `Target`, or None for the predicted class.
        estimation: Returns batches of so many usual inputs, or fewer.
        settings: How long, and how many.
        seed: Of all noise, and of the order in which samples are taken.
        output: Which part of what the model returns the logits are.

    Raises:
        ConfigError: The target is neither a class nor a `Target`.
    """
    attributor = build(present)
    label = target if isinstance(target, int) else None
    question = None if label is not None else _question(target)
    order = drawn_order(len(samples), seed)
    asked = [replace(samples[i], target=label) for i in order]
    with frozen(attributor.model):
        context = _context(attributor, question, estimation, seed, output)
        cases = [
            case
            for case in (case_of(context, sample) for sample in asked)
            if case.probability >= settings.least_probable
        ]
        modality, first = attributor.modality, asked[0].input[None].to(attributor.device)
        values, tokens = modality.enter(attributor.model, first)
        entered = (working_values(values, attributor.model), tokens)
        layers = layers_to_try(modality, attributor.model, present.layer, entered)
        trials = Trials(context, modality.kind, cases, present, build, settings)
        return search(trials, present, layers, settings, LOGGER.info)


def _question(target: Any) -> Any:
    """Return what is asked beside the predicted class; None for nothing.

    Raises:
        ConfigError: A search cannot ask this.
    """
    if target is None or hasattr(target, "settle"):
        return target
    if isinstance(target, str):
        return ClassTarget(target)
    raise ConfigError(
        f"A search asks one question of all samples: a class by index or name, a Target, or None "
        f"for the predicted class; got {type(target).__name__}."
    )


def _context(
    attributor: Attributor,
    question: Any,
    estimation: Callable[[int], Iterable[Tensor]],
    seed: int,
    output: Output | None,
) -> EvaluationContext:
    """Return what scores maps of an attributor's model as the evaluation commands do."""
    model, device, modality = attributor.model, attributor.device, attributor.modality
    autocast, use_softmax = attributor.classifier.autocast, attributor.use_softmax
    runner = Classifier(model, run=modality.run, autocast=autocast, output=output)
    fitting = FittingRows(attributor.internal_batch_size, device)
    names = attributor.class_names
    asking = Asking(runner, modality, fitting, question, names, use_softmax)

    def inputs(count: int) -> tuple[Iterator[Tensor], int]:
        return iter(estimation(count)), count

    return EvaluationContext(
        use_softmax=use_softmax,
        section={},
        config_path=Path(),
        classifier=model,
        classify=asking,
        ask=asking.ask,
        device=device,
        autocast=autocast,
        seed=seed,
        make_explainer=lambda: attributor,
        make_method=lambda _: attributor,
        estimation_inputs=inputs,
        ids=(),
        beside=Path(),
        fitting=fitting,
        fingerprints={},
    )
