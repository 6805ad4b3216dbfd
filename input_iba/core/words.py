"""From values of word pieces to values of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

MERGES: dict[str, Callable[[Tensor], Tensor]] = {"mean": torch.mean, "max": torch.max}
"""How the values of a word's pieces become one."""


def merge_pieces(values: Tensor, words: Sequence[int] | None, merge: str = "mean") -> Tensor:
    """Give every word one value.

    Args:
        values: One per token, (T,).
        words: Number of the word that each token belongs to, −1 for none, (T,); None where every
            token is a word.
        merge: 'mean' or 'max'.

    Returns:
        One value per word, in the order of their numbers, (words,).

    >>> merge_pieces(torch.tensor([0.0, 1.0, 2.0, 5.0, 0.0]), [-1, 0, 1, 1, -1], "max")
    tensor([1., 5.])
    """
    if words is None:
        return values
    owner = torch.tensor(words)
    together = MERGES[merge]
    return torch.stack([together(values[owner == word]) for word in range(max(words) + 1)])
