"""Explain samples again: by a classifier that has changed, with other inputs, or another seed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from torch import Tensor, nn

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, ScoredSample
from input_iba.records import Explanation, Failure, FeatureStatistics

Explain = Callable[[nn.Module], Tensor]


def explain_again(
    context: EvaluationContext, kind: str, n_samples: int
) -> Callable[[ScoredSample], Explain]:
    """Return what makes the explainer of a sample, which is called once at every step.

    Statistics of the layer are estimated anew once weights have changed. The new weights are the
    same for every sample, so that each step's statistics are estimated for the first one only.

    Args:
        context: What all samples share.
        kind: Which map of a sample is returned, (1, H, W).
        n_samples: Number of samples behind the statistics of every step.
    """
    explainer = context.make_explainer()
    statistics: list[FeatureStatistics] = []

    def of(case: ScoredSample) -> Explain:
        steps, sample = count(), case.sample

        def explain(_: nn.Module) -> Tensor:
            step = next(steps)
            if step == len(statistics):
                statistics.append(explainer.estimate(*context.estimation_inputs(n_samples)))
            explainer.statistics = statistics[step]
            [result] = explainer.attribute(
                sample.input[None],
                [case.question],
                ids=[sample.id],
                seed=context.seed,
                internal_batch_size=context.fitting.halved(tuple(sample.input.shape)),
            )
            return map_of(result, kind)

        return explain

    return of


Again = Callable[[ScoredSample, Tensor, int], Tensor]
"""Maps a sample, an input in its place, and a seed to a map (H, W), or (T,) of a text."""


def repeated(
    context: EvaluationContext, kind: str, n_samples: int, name: str | None = None
) -> Again:
    """Return what makes maps as the config says, in the method's own units.

    The classifier stays as it is, so that what the method needs of the estimation set is computed
    once. The id of the sample decides the random numbers, with the seed, whatever the input.

    Args:
        context: What all samples share.
        kind: Which map is returned.
        n_samples: Inputs of the estimation set behind the statistics.
        name: Of another method; None for the three stages of the config.
    """
    method = context.make_method(name)
    method.estimate(*context.estimation_inputs(n_samples))

    def explain(case: ScoredSample, x: Tensor, seed: int) -> Tensor:
        [result] = method.attribute(
            x[None],
            [case.question],
            ids=[case.sample.id],
            seed=seed,
            internal_batch_size=context.fitting.halved(tuple(x.shape)),
        )
        if isinstance(result, Failure):
            raise EvaluationError(
                f"The sample could not be explained again: {result.reason} Leave it out."
            )
        if not hasattr(result, kind):
            raise EvaluationError(
                f"The method of '{context.config_path}' makes no {kind}. Leave --mask out."
            )
        found: Tensor = getattr(result, kind)
        return found.double() * result.peak

    return explain


def map_of(result: Explanation | Failure, kind: str) -> Tensor:
    """Return a map of an attribution, (1, H, W)."""
    if isinstance(result, Failure):
        raise EvaluationError(
            f"The classifier with re-initialised layers could not be explained: {result.reason} "
            "Leave the sample out, or re-initialise fewer layers."
        )
    found: Tensor = getattr(result, kind)
    return found[None]
