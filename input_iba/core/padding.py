"""Texts of different lengths as one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

PAD_INDEX = 1
"""Index of `<pad>` in every vocabulary of the toolkit, as in torchtext's."""


@dataclass(frozen=True)
class TextBatch:
    """Texts of different lengths, padded at their ends to the longest.

    Attributes:
        ids: Token ids (S, T), int64.
        lengths: Number of tokens of each text (S,), int64, at least 1.
    """

    ids: Tensor
    lengths: Tensor

    @property
    def valid(self) -> Tensor:
        """True at tokens, False at the padding behind them, (S, T)."""
        positions = torch.arange(self.ids.shape[1], device=self.ids.device)
        return positions < self.lengths.to(self.ids.device)[:, None]

    def to(self, device: torch.device) -> TextBatch:
        """Return the batch on another device."""
        return TextBatch(self.ids.to(device), self.lengths.to(device))


def pad(texts: Sequence[Tensor], pad_index: int = PAD_INDEX, multiple: int = 1) -> TextBatch:
    """Pad S texts (T_s,), int64, at their ends to the longest; T is a multiple of `multiple`.

    >>> batch = pad([torch.tensor([5, 6]), torch.tensor([7])])
    >>> batch.ids.tolist(), batch.lengths.tolist(), batch.valid.tolist()
    ([[5, 6], [7, 1]], [2, 1], [[True, True], [True, False]])
    >>> pad([torch.tensor([5, 6, 7])], multiple=4).ids.tolist()
    [[5, 6, 7, 1]]
    """
    lengths = torch.tensor([len(text) for text in texts])
    ids = pad_sequence(list(texts), True, float(pad_index))
    return TextBatch(F.pad(ids, (0, -ids.shape[1] % multiple), value=pad_index), lengths)


def lengths_of(ids: Tensor, pad_index: int = PAD_INDEX) -> Tensor:
    """Count the tokens before the padding at the end of each text; (S, T) to (S,), at least 1.

    >>> lengths_of(torch.tensor([[5, 1, 6, 1, 1], [1, 1, 1, 1, 1]])).tolist()
    [3, 1]
    """
    positions = torch.arange(1, ids.shape[1] + 1, device=ids.device)
    return (positions * (ids != pad_index)).amax(1).clamp(min=1)
