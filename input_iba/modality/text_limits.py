"""How long a text may be: found out from the positions that a classifier looks up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


def most_positions(tokens: int, run: Callable[[], object]) -> int | None:
    """Return how many tokens a classifier has positions for; None where it has no table of them.

    Some classifiers count from 0, RoBERTa from behind the id of its padding: a table of 514
    positions is enough for 514 tokens, or for 512.

    Args:
        tokens: Length of a text, in which no ids follow each other as numbers do.
        run: Gives it to the classifier, alone and without padding.
    """
    watch = _Lookups(tokens)
    try:
        with watch:
            run()
    except torch.OutOfMemoryError:
        raise
    except Exception:  # behind the look-ups: heads that miss a token which ends texts, for one
        return min(watch.limits, default=None)
    return min(watch.limits, default=None)


class _Lookups(TorchFunctionMode):
    """Watches what is looked up in tables of vectors.

    Attributes:
        limits: Tokens for which tables of positions are enough.
    """

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.limits: list[int] = []
        self._counted = torch.arange(tokens)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note look-ups of positions, and go on."""
        found = func(*args, **(kwargs or {}))
        if func is F.embedding and len(args) > 1:
            self._note(args[0], args[1])
        return found

    def _note(self, places: Tensor, table: Tensor) -> None:
        if places.ndim == 0 or places.numel() != max(places.shape):
            return  # distances between tokens are (T, T)
        row = places.detach().reshape(-1)[: len(self._counted)].cpu()
        if len(row) == len(self._counted) and torch.equal(row - row[0], self._counted.to(row)):
            self.limits.append(len(table) - int(row[0]))
