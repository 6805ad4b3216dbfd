"""Texts of different lengths as one tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from input_iba.records import TextBatch

PAD_INDEX = 1
"""Index of `<pad>` in every vocabulary of the toolkit, as in torchtext's."""


def pad(texts: Sequence[Tensor], pad_index: int = PAD_INDEX, multiple: int = 1) -> TextBatch:
    """Pad texts at their ends to the longest, or a little longer.

    Args:
        texts: Token ids of S texts, each (T_s,), int64, at least one token long.
        pad_index: What stands behind the end of a text.
        multiple: T is rounded up to a multiple of it.

    Returns:
        Ids (S, T) and lengths (S,).

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


@contextmanager
def padding_known(model: nn.Module, pad: int) -> Iterator[None]:
    """Tell configurations of `transformers` that know no padding its id, and take it back.

    Classifiers that read a text's last token, as GPT-2 does, look for the padding behind it.
    """
    configs = [vars(module).get("config") for module in model.modules()]
    lent: list[Any] = [c for c in configs if getattr(c, "pad_token_id", pad) is None]
    try:
        for config in lent:
            config.pad_token_id = pad
        yield
    finally:
        for config in lent:
            config.pad_token_id = None
