"""Token ids: checked, padded, and with their words in another order."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.core.tokens import Tokens
from input_iba.errors import AttributionError

MORE_PADDING = 3
"""Tokens of padding with which it is tried whether a classifier heeds where a text ends."""


def checked_ids(inputs: Tensor) -> Tensor:
    """Return token ids (S, T) as int64.

    Raises:
        AttributionError: They are something else, or there are none.
    """
    whole = not (inputs.is_floating_point() or inputs.is_complex() or inputs.dtype == torch.bool)
    if inputs.ndim != 2 or not whole:
        raise AttributionError(
            f"Texts are token ids, integers of shape (samples, tokens); got {inputs.dtype} of "
            f"shape {tuple(inputs.shape)}."
        )
    if inputs.numel() == 0:
        raise AttributionError(
            f"Texts have at least one token each, and there is at least one; got token ids of "
            f"shape {tuple(inputs.shape)}, which is empty. Leave empty texts out."
        )
    return inputs.long()


def with_padding(ids: Tensor, pad: int) -> tuple[Tensor, Tensor]:
    """Return token ids (1, T) without some in the middle, alone and with padding behind them.

    >>> short, padded = with_padding(torch.arange(5, 14)[None], pad=1)
    >>> short.tolist(), padded.tolist()
    ([[5, 6, 7, 8, 12, 13]], [[5, 6, 7, 8, 12, 13, 1, 1, 1]])
    """
    middle = ids.shape[1] // 2
    cut = min(MORE_PADDING, max(ids.shape[1] - 4, 0))  # no longer than it was, if it can be
    short = torch.cat([ids[:, :middle], ids[:, middle + cut :]], dim=1)
    return short, F.pad(short, (0, MORE_PADDING), value=pad)


def shuffled(text: Tokens, seed: int) -> Tensor:
    """Return a half to all of the words of a text (1, T), in another order, as ids (1, T').

    What is not scored, such as special tokens, stays where it is.
    """
    generator = torch.Generator().manual_seed(seed)
    places = text.scored[0].nonzero().flatten().cpu()
    share = float(torch.rand((), generator=generator))
    count = max(round((1 + share) / 2 * len(places)), 1)
    drawn = places[torch.randperm(len(places), generator=generator)[:count]]
    ids = text.ids.clone()
    ids[0, places[:count]] = text.ids[0, drawn]
    stays = torch.ones(ids.shape[1], dtype=torch.bool)
    stays[places[count:]] = False
    return ids[:, stays]
