"""Chunks of texts: words, runs of five words, or sentences.

Texts travel as one tensor (B, T, 1 + E), as images do: of every word first the number of its
chunk, −1 at padding, then its vector. `packed` and `unpacked` join and part the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from input_iba.errors import ConfigError, closest
from input_iba.vibi.settings import KINDS

END_MARKS = (".", "!", "?")
"""Tokens that end a sentence; those that follow each other end one together."""


@dataclass(frozen=True)
class TextChunks:
    """How texts are cut.

    Attributes:
        kind: 'word', 'five_words' (from the beginning of a text; the last run may be shorter), or
            'sentence'.
        count: Most chunks that a text may have; texts are no longer than as many words.
        ends: Ids of the tokens that end a sentence.

    Raises:
        ConfigError: The kind is unknown, or sentences have no ends.
    """

    kind: str
    count: int
    ends: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check the kind."""
        if self.kind not in KINDS:
            near = closest(str(self.kind), KINDS)
            raise ConfigError(f"Chunks of texts are {', '.join(KINDS)}; got {self.kind!r}.{near}")
        if self.kind == "sentence" and not self.ends:
            raise ConfigError(
                f"The vocabulary has none of the tokens {' '.join(END_MARKS)} that end sentences. "
                "Choose another kind of chunks."
            )

    def of(self, ids: Tensor, valid: Tensor) -> Tensor:
        """Number the chunk of every token from 0.

        Args:
            ids: Token ids (B, T), int64.
            valid: False at padding, (B, T); tokens stand before it.

        Returns:
            (B, T), int64; −1 at padding, which belongs to no chunk.

        >>> ids = torch.tensor([[5, 6, 2, 2, 7, 1]])
        >>> TextChunks("sentence", 6, ends=(2,)).of(ids, ids != 1).tolist()
        [[0, 0, 0, 0, 1, -1]]
        """
        if self.kind == "sentence":
            is_end = torch.isin(ids, torch.tensor(self.ends, device=ids.device))
            starts = torch.zeros_like(ids)
            starts[:, 1:] = (is_end[:, :-1] & ~is_end[:, 1:]).long()
            numbers = starts.cumsum(1)
        else:
            size = 5 if self.kind == "five_words" else 1
            numbers = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape) // size
        return numbers.where(valid, -1)

    def hide(self, inputs: Tensor, shown: Tensor) -> Tensor:
        """Return texts (S, T, 1 + E) with the words of chunks hidden; see `Chunks`.

        Their vectors become 0, as padding's are.
        """
        vectors, chunks = unpacked(inputs)
        words = to_tokens(shown.transpose(0, 1), chunks).transpose(0, 1)
        hidden = vectors[:, None] * words[..., None]
        return packed(hidden.flatten(0, 1), chunks.repeat_interleave(shown.shape[1], 0))


def packed(vectors: Tensor, chunks: Tensor) -> Tensor:
    """Join word vectors (B, T, E) and chunk numbers (B, T), exact in float32, to (B, T, 1 + E)."""
    return torch.cat([chunks[..., None].to(vectors.dtype), vectors], 2)


def unpacked(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Part (B, T, 1 + E) into word vectors (B, T, E) and chunk numbers (B, T), int64."""
    return inputs[..., 1:], inputs[..., 0].long()


def ends_in(words: Sequence[str]) -> tuple[int, ...]:
    """Return the indices of the tokens of a vocabulary that end sentences."""
    return tuple(i for i, word in enumerate(words) if word in END_MARKS)


def to_tokens(of_chunks: Tensor, chunks: Tensor) -> Tensor:
    """Give every token the value of its chunk, (..., B, N) to (..., B, T), 0 at padding.

    `chunks` holds the chunk of each token (B, T), −1 at padding.
    """
    places = chunks.clamp(min=0).expand(*of_chunks.shape[:-1], chunks.shape[1])
    return of_chunks.gather(-1, places) * (chunks >= 0)


def max_of_chunks(of_tokens: Tensor, chunks: Tensor) -> tuple[Tensor, Tensor]:
    """Take the largest value of each feature over the tokens of each chunk.

    Args:
        of_tokens: (B, T, D), not negative.
        chunks: Chunk of each token (B, T), −1 at padding.

    Returns:
        Maxima (B, N, D), where N is the largest number of chunks of a text; and which chunks a text
        has, bool (B, N). Chunks that it does not have are 0.

    >>> maxima, exist = max_of_chunks(torch.tensor([[[1.0], [3], [5]]]), torch.tensor([[0, 0, -1]]))
    >>> maxima.tolist(), exist.tolist()
    ([[[3.0]]], [[True]])
    """
    rows, count, width = len(chunks), int(chunks.max()) + 1, of_tokens.shape[2]
    inside = chunks >= 0
    places = chunks.clamp(min=0)
    index = places[..., None].expand_as(of_tokens)
    maxima = of_tokens.new_zeros(rows, count, width)
    maxima = maxima.scatter_reduce(1, index, of_tokens * inside[..., None], "amax")
    sizes = torch.zeros(rows, count, dtype=torch.int64, device=chunks.device)
    return maxima, sizes.scatter_add(1, places, inside.long()) > 0
