"""Explain samples again at every step of the cascade that re-initialises their classifier."""

from __future__ import annotations

from torch import Tensor, nn

from input_iba.errors import ConfigError, EvaluationError, closest
from input_iba.evaluation.base import EvaluationContext, ScoredSample
from input_iba.records import Explanation, Failure, FeatureStatistics

MAPS = {"input_iba": "input_mask", "gan": "prior_mask", "feat_iba": "feature_mask"}
"""Which map of an attribution a `check` is about."""

N_ESTIMATION = 100
"""Samples of the estimation set behind the statistics of every step, unless told otherwise."""


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

    @classmethod
    def of_config(cls, context: EvaluationContext, count: int | None) -> ExplainAgain:
        """Return what explains with the attributor of the config, as its `sanity_check` says.

        Args:
            context: What all samples share.
            count: Samples behind the statistics of every step; None for those of the config.

        Raises:
            ConfigError: Another map is to be compared, or another number of samples is asked for,
                than there can be.
        """
        how, file = context.section, context.config_path
        check, configured = how.get("check", "input_iba"), how.get("n_estimation", N_ESTIMATION)
        if check not in MAPS:
            raise ConfigError(
                f"'sanity_check.check' of '{file}' is {check!r}."
                f"{closest(str(check), MAPS)} Known: {', '.join(MAPS)}."
            )
        if type(configured) is not int or configured < 2:
            raise ConfigError(
                f"'sanity_check.n_estimation' of '{file}' must be a number of samples of at least "
                f"2, got {configured!r}."
            )
        return cls(context, MAPS[check], count or configured)

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
