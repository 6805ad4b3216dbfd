"""Explain samples again at every step of the cascade that re-initialises their classifier."""

from __future__ import annotations

from torch import Tensor, nn

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, ScoredSample
from input_iba.records import Explanation, Failure, FeatureStatistics


class ExplainAgain:
    """Explains one sample after the other at every step of the cascade.

    Statistics of the layer are estimated anew once weights have changed. The new weights are the
    same for every sample, so that each step's statistics are estimated for the first one only.

    Args:
        context: What all samples share.
        kind: Which of its maps is compared.
        count: Samples behind the statistics of every step.
    """

    def __init__(self, context: EvaluationContext, kind: str, count: int) -> None:
        self._context, self._kind, self._count = context, kind, count
        self._explainer = context.make_explainer()
        self._statistics: list[FeatureStatistics] = []
        self._case: ScoredSample | None = None
        self._step = 0

    def start(self, case: ScoredSample) -> None:
        """Explain this sample, from its first step on."""
        self._case, self._step = case, 0

    def __call__(self, _: nn.Module) -> Tensor:
        """Return the map of the classifier as it is now, (1, H, W)."""
        assert self._case is not None
        if self._step == len(self._statistics):
            found = self._explainer.estimate(*self._context.estimation_inputs(self._count))
            self._statistics.append(found)
        self._explainer.statistics = self._statistics[self._step]
        self._step += 1
        sample, context = self._case.sample, self._context
        [result] = self._explainer.attribute(
            sample.input[None],
            [self._case.target],
            ids=[sample.id],
            seed=context.seed,
            internal_batch_size=context.fitting.halved(tuple(sample.input.shape)),
        )
        return map_of(result, self._kind)


def map_of(result: Explanation | Failure, kind: str) -> Tensor:
    """Return a map of an attribution, (1, H, W)."""
    if isinstance(result, Failure):
        raise EvaluationError(
            f"The classifier with re-initialised layers could not be explained: {result.reason} "
            "Leave the sample out, or re-initialise fewer layers."
        )
    found: Tensor = getattr(result, kind)
    return found[None]
