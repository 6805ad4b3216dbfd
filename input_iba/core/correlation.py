"""How well values agree: correlation of values and of ranks."""

from __future__ import annotations

import torch
from torch import Tensor


def pearson(first: Tensor, second: Tensor) -> Tensor:
    """Correlate values (S, M) with as many others, (S,), in [−1, 1].

    It is 0 where either are all the same.
    """
    a, b = (values - values.mean(1, keepdim=True) for values in (first, second))
    # Rounding lets equal values differ a little, which is not variation.
    vary_a, vary_b = (
        centred.norm(dim=1) > 1e-12 * values.norm(dim=1)
        for centred, values in ((a, first), (b, second))
    )
    found: Tensor = ((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))).clamp(-1, 1)
    return found.masked_fill(~(vary_a & vary_b), 0)


def mean_ranks(values: Tensor) -> Tensor:
    """Return the place of each of (S, M) values in ascending order, from 0, float64.

    Equal values share the mean of their places.

    >>> mean_ranks(torch.tensor([[3.0, 1.0, 3.0, 2.0]]))
    tensor([[2.5000, 0.0000, 2.5000, 1.0000]], dtype=torch.float64)
    """
    values = values.contiguous()
    ordered = values.sort(dim=1).values
    below = torch.searchsorted(ordered, values)
    not_above = torch.searchsorted(ordered, values, right=True)
    found: Tensor = (below + not_above - 1).double() / 2
    return found


def spearman(first: Tensor, second: Tensor) -> Tensor:
    """Correlate the ranks of values (S, M), (S,); 0 where either are all the same.

    References:
        Spearman 1904; ties as in Kendall and Gibbons 1990, "Rank correlation methods", chapter 3.
    """
    return pearson(mean_ranks(first), mean_ranks(second))
