"""Where texts (B, T) stand in what a classifier makes of their ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from input_iba.core.hooks import Wrapping, rewrap, unwrap


@dataclass(frozen=True)
class Places:
    """Where T tokens of B texts stand in a tensor (B, L, …) or (L, B, …).

    Attributes:
        shift: Places before the first token: 1 where a decoder reads the text behind a start
            token, and the last token, if L is T, not at all.
        sequence_first: Whether L comes before B.
    """

    shift: int = 0
    sequence_first: bool = False

    def put(self, embeddings: Tensor, own: Callable[[], Tensor], ids: Tensor) -> Tensor:
        """Return what an embedding puts out, with other embeddings (B, T, E) of the tokens.

        Where nothing of the text stands in `ids`, (B, L), stays what it puts out by its `own`,
        (B, L, E).
        """
        length, tokens = self.length(ids), embeddings.shape[1]
        if ids.ndim != 2:  # those of the texts, in another shape
            return embeddings.reshape(*ids.shape, -1)
        if self.shift == 0 and length == tokens:
            return self._turned(embeddings)
        rest = self._turned(own())
        count = min(tokens, length - self.shift)
        text = embeddings[:, :count].to(rest.dtype)
        parts = (rest[:, : self.shift], text, rest[:, self.shift + count :])
        return self._turned(torch.cat(parts, 1))

    def length(self, ids: Tensor) -> int:
        """Return L of ids (B, L) or (L, B)."""
        return ids.shape[0 if self.sequence_first else -1]

    def take(self, values: Tensor, tokens: int) -> Tensor:
        """Return what stands at T tokens, (B, T, …)."""
        values = self._turned(values)
        index = self._index(values, tokens)
        return values if index is None else values.index_select(1, index)

    def put_back(self, values: Tensor, taken: Tensor) -> Tensor:
        """Return `values` with something else, (B, T, …), at the places of the tokens."""
        turned = self._turned(values)
        index = self._index(turned, taken.shape[1])
        return self._turned(taken if index is None else turned.index_copy(1, index, taken))

    def _turned(self, values: Tensor) -> Tensor:
        return values.transpose(0, 1) if self.sequence_first else values

    def _index(self, values: Tensor, tokens: int) -> Tensor | None:
        """Return the tokens' places in (B, L, …), (T,); None where nothing is to be moved."""
        length = values.shape[1]
        if length < tokens or (self.shift == 0 and length == tokens):
            return None
        # A last token that the decoder does not read gets the place of the start token.
        return (torch.arange(tokens, device=values.device) + self.shift) % length


def find_places(ids: Tensor, texts: Tensor, longest: int) -> Places | None:
    """Return where texts (B, T) stand in the ids that an embedding is given; None elsewhere.

    The padding behind the longest of them may be missing.

    >>> texts = torch.tensor([[5, 6, 7], [8, 9, 1]])
    >>> find_places(torch.tensor([[2, 5, 6], [2, 8, 9]]), texts, 3)
    Places(shift=1, sequence_first=False)
    >>> find_places(torch.tensor([[5, 8], [6, 9], [7, 1], [0, 0]]), texts, 3)
    Places(shift=0, sequence_first=True)
    """
    if (ids.shape, ids.stride(), ids.data_ptr()) == (texts.shape, texts.stride(), texts.data_ptr()):
        return Places()  # without waiting for the device
    if ids.ndim != 2:
        alike = ids.numel() == texts.numel() and torch.equal(ids.reshape(texts.shape), texts)
        return Places() if alike else None
    for turned in (False, True):
        rows = ids.mT if turned else ids
        if len(rows) != len(texts) or rows.shape[1] < longest:
            continue
        for shift in (0, 1):
            kept = min(texts.shape[1], rows.shape[1] - shift)
            if torch.equal(rows[:, shift : shift + kept], texts[:, :kept]):
                return Places(shift, turned)
    return None


@dataclass(frozen=True)
class TextWrapping(Wrapping):
    """Features (B, T, D) at a layer that puts out more than that, or in another order."""

    places: Callable[[], Places | None]
    """Says where the tokens stand at the layer; None leaves what flows there as it is."""

    def unwrap(self, output: Any, inputs: Tensor) -> Tensor:
        """Return the features of the tokens, (B, T, D)."""
        places, value = self.places(), unwrap(output)
        return value if places is None else places.take(value, inputs.shape[1])

    def rewrap(self, output: Any, value: Tensor, inputs: Tensor) -> Any:
        """Put other features of the tokens in their place."""
        places = self.places()
        return rewrap(output, value if places is None else places.put_back(unwrap(output), value))
