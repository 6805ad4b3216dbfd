"""Which tokens stand behind a batch of embeddings, and which of them count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from input_iba.core.padding import PAD_INDEX, lengths_of


@dataclass(frozen=True)
class Tokens:
    """The texts of a batch, padded on the right to one length.

    Attributes:
        ids: Token ids, (B, T), int64.
        lengths: Tokens before the padding, (B,), int64, at least 1, on the CPU.
        scored: True where a token is masked and scored, (B, T); False at padding and at special
            tokens, which the classifier sees as they are.
    """

    ids: Tensor
    lengths: Tensor
    scored: Tensor

    @classmethod
    def of(cls, ids: Tensor, pad: int = PAD_INDEX, special: Sequence[int] = ()) -> Tokens:
        """Tell tokens from the padding behind them.

        Args:
            ids: (B, T), int64.
            pad: Id of the padding. In the middle of a text it is a token like others.
            special: Ids of tokens that are kept and not scored.

        >>> Tokens.of(torch.tensor([[5, 1, 7, 1, 1]]), pad=1, special=[7]).scored.int()
        tensor([[1, 1, 0, 0, 0]], dtype=torch.int32)
        """
        lengths = lengths_of(ids, pad)
        before_end = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        ordinary = ~torch.isin(ids, torch.tensor(list(special), device=ids.device, dtype=ids.dtype))
        not_empty = (ids != pad).any(1, keepdim=True)
        return cls(ids, lengths.cpu(), before_end & ordinary & not_empty)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def valid(self) -> Tensor:
        """True at tokens, False at the padding behind them, (B, T)."""
        positions = torch.arange(self.ids.shape[1], device=self.ids.device)
        return positions < self.lengths.to(self.ids.device)[:, None]

    @property
    def padded(self) -> bool:
        """Whether any of the texts is shorter than the batch."""
        return bool((self.lengths < self.ids.shape[1]).any())

    def select(self, rows: Sequence[int] | slice) -> Tokens:
        """Return some of the texts, padded as they are."""
        which = rows if isinstance(rows, slice) else list(rows)
        return Tokens(self.ids[which], self.lengths[which], self.scored[which])

    def trimmed(self) -> Tokens:
        """Return the texts with no more padding than the longest needs."""
        longest = int(self.lengths.max())
        return Tokens(self.ids[:, :longest], self.lengths, self.scored[:, :longest])

    def repeat(self, times: int) -> Tokens:
        """Return every text `times` times in turn."""
        parts = (self.ids, self.lengths, self.scored)
        return Tokens(*(part.repeat_interleave(times, 0) for part in parts))
