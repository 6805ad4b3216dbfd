"""The order of a map's values, in which ties favour no place."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from input_iba.errors import EvaluationError

TIE_SEED = 17
"""Seeds the order of equal values: one order for all maps, so that methods are compared by it.

Of the first 1,500 the one whose orders, of 4 to 64 words and of maps and tiles, run least along or
against reading order, rows or columns: short texts have few words for chance to even out.
"""

TIED_SHARE = 0.5
"""From a larger share of equal values on, a map's scores say little of what it ranks."""


def ranks(heats: Tensor) -> Tensor:
    """Return each pixel's place in the order of heat, hottest first.

    Equal values follow each other in an order that was drawn once and does not depend on the map:
    a map that tells no pixels apart then changes them as a random map does. In reading order it
    would change the top of the image first, and score by where the object lies. What stands
    behind a pixel does not change the order of those before it, so padding changes no text's.
    Of heats (S, H, W) or (S, T), without NaN, ranks have the same shape, int64, 0 to H·W − 1.

    >>> ranks(torch.tensor([[[0.1, 0.7], [0.8, 0.3]]]))
    tensor([[[3, 1],
             [0, 2]]])
    """
    flat = heats.flatten(1)
    drawn = _drawn_order(flat.shape[1]).to(flat.device)
    order = drawn[flat[:, drawn].argsort(dim=1, descending=True, stable=True)]
    position = torch.arange(order.shape[1], device=order.device).expand_as(order)
    return torch.empty_like(order).scatter_(1, order, position).view_as(heats)


@lru_cache(maxsize=32)
def _drawn_order(size: int) -> Tensor:
    """Return the order of `size` equal values; of fewer values it is what is left of it."""
    # One draw per value, in turn: the first draws are the same however many follow.
    return torch.from_numpy(np.random.default_rng(TIE_SEED).random(size).argsort(kind="stable"))


def expected_inside(heats: Tensor, inside: Tensor, counts: Tensor) -> Tensor:
    """Return how many of the hottest pixels lie in a region: the mean over all orders of ties.

    Of the pixels as hot as the last one that is counted, as many count as places are left, each
    with the same chance.

    Heats (S, P) are without NaN; `inside`, (S, P), says which pixels lie in the region, and
    `counts`, (S,), how many are the hottest, each 1 to P. The means are (S,), float64.

    >>> region = torch.tensor([[True, False, False, False]])
    >>> expected_inside(torch.ones(1, 4), region, torch.tensor([2]))
    tensor([0.5000], dtype=torch.float64)
    """
    ordered = heats.sort(dim=1, descending=True).values
    last = ordered.gather(1, counts[:, None] - 1)
    above, tied = heats > last, heats == last
    left = (counts - above.sum(1)).double() / tied.sum(1)
    return (above & inside).sum(1) + left * (tied & inside).sum(1)


def is_tied(heat: Tensor) -> bool:
    """Return whether more than half of the values of a map, (H, W) or (W,), are the same.

    >>> is_tied(torch.tensor([0.0, 0.0, 1.0])), is_tied(torch.tensor([0.0, 1.0]))
    (True, False)
    """
    if heat.numel() < 2:
        return False
    counts = torch.unique(heat, return_counts=True)[1]
    return int(counts.max()) > TIED_SHARE * heat.numel()


def top_overlap(first: Tensor, second: Tensor, share: float = 0.05) -> Tensor:
    """Return which part of the hottest `share` of the units two maps (S, …) have in common, (S,).

    At least one unit is hottest. Equal values follow each other as in `ranks`. Chance gives about
    the share itself.

    Raises:
        EvaluationError: The share is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise EvaluationError(f"The share of the hottest units is in (0, 1]; got {share!r}.")
    count = max(1, round(share * first[0].numel()))
    a, b = (ranks(maps.flatten(1)) < count for maps in (first, second))
    return (a & b).sum(1).double() / count
