"""Means over samples with bootstrap intervals, and whether two methods really differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from input_iba.errors import EvaluationError

DRAWS_AT_ONCE = 1 << 22
"""Values drawn in one array, which bounds memory to some 100 MB."""

EXACT = 14
"""Up to so many pairs all 2ⁿ changes of signs are tried; beyond, some are drawn."""


@dataclass(frozen=True)
class Summary:
    """A mean over n samples and how sure it is.

    Attributes:
        std: Standard deviation of the values (n − 1 in the denominator); None for one value.
        low: Lower end of the 95 % bootstrap interval of the mean; None for one value.
        high: Upper end of it.
    """

    mean: float
    std: float | None
    low: float | None
    high: float | None
    n: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the fields as plain data, which JSON can hold."""
        return asdict(self)

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside the interval: of a difference, that the methods differ."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def summarise(values: ArrayLike, resamples: int = 10_000, seed: int = 0) -> Summary:
    """Summarise one value per sample.

    The interval is that of the percentile bootstrap. The same values, in the same order, and seed
    give the same interval.

    Raises:
        EvaluationError: Values are not (n,) with n ≥ 1, or not finite.

    References:
        Efron 1979, "Bootstrap methods: another look at the jackknife".

    >>> summarise([0.25, 0.75, 0.5]).mean
    0.5
    """
    array = _checked(values)
    n = len(array)
    mean = float(array.mean())
    if n == 1:
        return Summary(mean, None, None, None, 1)
    interval = stats.bootstrap(
        (array,),
        np.mean,
        n_resamples=resamples,
        batch=max(1, DRAWS_AT_ONCE // n),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    std = float(array.std(ddof=1))
    return Summary(mean, std, float(interval.low), float(interval.high), n)


def paired_difference(
    values: ArrayLike, reference: ArrayLike, resamples: int = 10_000, seed: int = 0
) -> Summary:
    """Summarise the differences of two methods, sample by sample.

    Both have one score per sample, (n,), in the same order; the summary is that of `values` −
    `reference`.

    Raises:
        EvaluationError: The two do not have one finite value per sample each.
    """
    first, second = _checked(values), _checked(reference)
    if first.shape != second.shape:
        raise EvaluationError(
            f"A paired difference needs both methods on the same samples; got {len(first)} and "
            f"{len(second)} values."
        )
    return summarise(first - second, resamples, seed)


def sign_flip_p(differences: ArrayLike, resamples: int = 10_000, seed: int = 0) -> float:
    """Return how often a mean difference so far from 0 would come about by chance.

    If the two methods did not differ, each sample's difference could as well have the other sign.
    The p-value is the share of the changes of signs whose mean is at least as far from 0 as the one
    found; of drawn ones, the one found is counted too, so that it is never 0.

    Args:
        differences: Score of one method minus score of the other, (n,), finite.
        resamples: Changes of signs drawn where there are too many to try all.
        seed: Seeds the draws.

    References:
        Fisher 1935, "The design of experiments", section 21.

    >>> sign_flip_p([1.0, 2.0, 3.0])
    0.25
    """
    values = _checked(differences)
    scale = float(np.abs(values).sum())
    if len(values) == 1 or scale == 0:
        return 1.0

    def distance(signed: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        # Rounded, so that sums are equal that rounding alone tells apart.
        found: NDArray[np.float64] = np.abs(signed.sum(axis=axis) / scale).round(12)
        return found

    few = len(values) <= EXACT
    test = stats.permutation_test(
        (values,),
        distance,
        permutation_type="samples",  # of one sample: of its signs
        n_resamples=1 << len(values) if few else resamples,
        batch=max(1, DRAWS_AT_ONCE // len(values)),
        alternative="greater",
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for the number of comparisons.

    Rejecting those below α errs in any of them with probability α at the most; their order stays.

    References:
        Holm 1979, "A simple sequentially rejective multiple test procedure".

    >>> holm([0.01, 0.5, 0.03])
    [0.03, 0.5, 0.06]
    """
    corrected, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(np.argsort(p_values, kind="stable")):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) == 0:
        raise EvaluationError(
            f"Expected one value per sample, at least one; got shape {array.shape}."
        )
    if not np.isfinite(array).all():
        raise EvaluationError(
            f"{int((~np.isfinite(array)).sum())} of {len(array)} values are not finite. Leave "
            "their samples out, and say how many."
        )
    return array
