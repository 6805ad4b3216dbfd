"""Whether two methods really differ: permutation tests of paired scores, and many at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from input_iba.evaluation.summary import DRAWS_AT_ONCE, checked

EXACT = 14
"""Up to so many pairs all 2ⁿ changes of signs are tried; beyond, some are drawn."""


def sign_flip_p(differences: ArrayLike, resamples: int = 10_000, seed: int = 0) -> float:
    """Return how often a mean difference so far from 0 would come about by chance.

    If the two methods did not differ, each sample's difference could as well have the other sign.
    The p-value is the share of the changes of signs whose mean is at least as far from 0 as the one
    found; of drawn ones, the one found is counted too, so that it is never 0.

    Args:
        differences: Score of one method minus score of the other, (n,), finite.
        resamples: Changes of signs drawn where there are too many to try all.
        seed: Seeds the draws.

    Returns:
        Two-sided p-value in (0, 1].

    Raises:
        EvaluationError: No values, or values that are not finite.

    References:
        Fisher 1935, "The design of experiments", section 21.

    >>> sign_flip_p([1.0, 2.0, 3.0])
    0.25
    """
    values = checked(differences)
    if len(values) <= EXACT:
        signs = 1 - 2 * (np.arange(1 << len(values))[:, None] >> np.arange(len(values)) & 1)
        return float(_reaches(signs @ values, values).mean())
    reached, draws = 0, np.random.default_rng(seed)
    block = max(1, DRAWS_AT_ONCE // len(values))
    for start in range(0, resamples, block):
        size = (min(block, resamples - start), len(values))
        signs = 1 - 2 * draws.integers(2, size=size)
        reached += int(_reaches(signs @ values, values).sum())
    return (reached + 1) / (resamples + 1)


def _reaches(sums: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which sums are as far from 0 as that of the values, up to what rounding changes."""
    found: NDArray[np.bool_] = np.abs(sums) >= abs(values.sum()) - 1e-12 * np.abs(values).sum()
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for the number of comparisons.

    Args:
        p_values: (m,), in any order.

    Returns:
        (m,), in the same order: rejecting those below α errs in any of them with probability α at
        the most.

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
