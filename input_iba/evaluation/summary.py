"""Means over samples with bootstrap intervals, and paired differences of two methods."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from input_iba.errors import EvaluationError

DRAWS_AT_ONCE = 1 << 22
"""Values drawn in one array, which bounds the memory of a bootstrap to some 100 MB."""


@dataclass(frozen=True)
class Summary:
    """A mean over samples and how sure it is.

    Attributes:
        mean: Mean of the values.
        std: Standard deviation of the values (n − 1 in the denominator); None for one value.
        low: Lower end of the 95 % bootstrap interval of the mean; None for one value.
        high: Upper end of it.
        n: Number of values.
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

    The interval is the percentile bootstrap's: means of `resamples` sets of n values each, drawn
    with replacement, between their 2.5th and 97.5th percentile. The same values, in the same
    order, and seed give the same interval.

    Args:
        values: (n,), n ≥ 1, finite.
        resamples: Number of sets drawn.
        seed: Seeds the draws.

    Raises:
        EvaluationError: No values, not one per sample, or not finite.

    References:
        Efron 1979, "Bootstrap methods: another look at the jackknife".

    >>> summarise([0.25, 0.75, 0.5]).mean
    0.5
    """
    array = checked(values)
    n = len(array)
    mean = float(array.mean())
    if n == 1:
        return Summary(mean, None, None, None, 1)
    means = _resampled_means(array, resamples, seed)
    low, high = np.percentile(means, [2.5, 97.5])
    return Summary(mean, float(array.std(ddof=1)), float(low), float(high), n)


def paired_difference(
    values: ArrayLike, reference: ArrayLike, resamples: int = 10_000, seed: int = 0
) -> Summary:
    """Summarise the differences of two methods, sample by sample.

    Args:
        values: Scores of one method, (n,).
        reference: Scores of the other on the same samples in the same order, (n,).
        resamples: Number of sets drawn.
        seed: Seeds the draws.

    Returns:
        Summary of `values` − `reference`.

    Raises:
        EvaluationError: The two do not have one value per sample each, or values are not finite.
    """
    first, second = checked(values), checked(reference)
    if first.shape != second.shape:
        raise EvaluationError(
            f"A paired difference needs both methods on the same samples; got {len(first)} and "
            f"{len(second)} values."
        )
    return summarise(first - second, resamples, seed)


def checked(values: ArrayLike) -> NDArray[np.float64]:
    """Return one value per sample as an array (n,).

    Raises:
        EvaluationError: No values, not one per sample, or not finite.
    """
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


def _resampled_means(values: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    draws, n = np.random.default_rng(seed), len(values)
    block = max(1, DRAWS_AT_ONCE // n)
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    return np.concatenate(
        [values[draws.integers(n, size=(size, n))].mean(axis=1) for size in sizes]
    )
