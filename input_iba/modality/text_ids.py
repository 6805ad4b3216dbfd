"""Token ids: checked, padded, in another order; how a classifier is told of them, and how many."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

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


def check_embedded(ids: Tensor, known: int) -> None:
    """Refuse token ids beyond those that a classifier has embeddings of.

    Raises:
        AttributionError: Names one of them.
    """
    least, most = int(ids.min()), int(ids.max())
    if least < 0 or most >= known:
        wrong = least if least < 0 else most
        raise AttributionError(
            f"Token id {wrong} has no embedding: the classifier knows {known} tokens, from 0 on. "
            "Use the vocabulary that it was trained with."
        )


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


def length_argument(model: nn.Module) -> str | None:
    """Return the argument by which a classifier takes the texts' lengths, if it has one."""
    parameters = inspect.signature(model.forward).parameters
    return next((name for name in ("attention_mask", "lengths") if name in parameters), None)


def told_of(model: nn.Module, tokens: Tokens) -> dict[str, Any]:
    """Return what a classifier is told of texts beside their ids, by the names of its arguments."""
    name, told = length_argument(model), dict[str, Any]()
    if name is not None:
        told[name] = tokens.lengths if name == "lengths" else tokens.valid.long()
    if "use_cache" in inspect.signature(model.forward).parameters:
        told["use_cache"] = False  # keys and values are kept for texts that are to grow
    return told


def most_positions(tokens: int, run: Callable[[], object]) -> int | None:
    """Return how many tokens a classifier has positions for; None where it has no table of them.

    Some classifiers count from 0, RoBERTa from behind the id of its padding: a table of 514
    positions is enough for 514 tokens, or for 512. `run` gives the classifier a text of so many
    `tokens`, alone and without padding, in which no ids follow each other as numbers do.
    """
    watch = _Lookups(tokens)
    try:
        # Behind the look-ups anything may fail: heads that miss a token which ends texts, for one.
        with watch:
            run()
    except Exception as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
    return min(watch.limits, default=None)


class _Lookups(TorchFunctionMode):
    """Watches look-ups in tables of vectors: for how many tokens those of positions are enough."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.limits: list[int] = []
        self._counted = torch.arange(tokens)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
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
