"""Which tokens of a batch of texts count.

Images have no tokens: behind them stand `NO_TOKENS`, with which everything counts, or what else a
classifier is called with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from input_iba.core.arguments import NO_ARGUMENTS, Arguments
from input_iba.core.padding import PAD_INDEX, TextBatch, lengths_of
from input_iba.errors import AttributionError

ANSWER = 1 << 32
"""Added to a token's id: it belongs to an answer, which is seen as it is and not scored."""


def with_answer(ids: Tensor, answer: Sequence[int]) -> Tensor:
    """Return a prompt's ids (T,) with the ids of an answer behind them, marked as such.

    Marks travel with the ids, through padding and batches, to `Tokens.of`, which takes them off.

    >>> Tokens.of(with_answer(torch.tensor([5, 6]), [1, 5])[None], pad=1).scored.int()
    tensor([[1, 1, 0, 0]], dtype=torch.int32)
    """
    return torch.cat([ids.long(), torch.tensor(answer, device=ids.device).long() + ANSWER])


@dataclass(frozen=True)
class Tokens(TextBatch):
    """The texts behind a batch of embeddings; lengths are on the CPU.

    Attributes:
        scored: True where a token is masked and scored, (B, T); False at padding, special tokens
            and answers, which the classifier sees as they are.
        answered: How many tokens at the end of each text are an answer, (B,).
    """

    scored: Tensor
    answered: Tensor

    beside: ClassVar[Arguments] = NO_ARGUMENTS
    arguments: ClassVar = frozenset({"attention_mask", "lengths"})
    """What classifiers may be told of the texts beside their ids."""

    @classmethod
    def of(cls, ids: Tensor, pad: int = PAD_INDEX, special: Sequence[int] = ()) -> Tokens:
        """Return which of ids (B, T), int64, are tokens and not the padding behind them.

        In the middle of a text the padding's id is a token like others. Special tokens and answers
        are kept and not scored; see `with_answer`.

        >>> Tokens.of(torch.tensor([[5, 1, 7, 1, 1]]), pad=1, special=[7]).scored.int()
        tensor([[1, 1, 0, 0, 0]], dtype=torch.int32)
        """
        lengths, answer = lengths_of(ids, pad), ids >= ANSWER
        before_end = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        ordinary = ~torch.isin(ids, torch.tensor(list(special), device=ids.device, dtype=ids.dtype))
        not_empty = (ids != pad).any(1, keepdim=True)
        scored = before_end & ordinary & not_empty & ~answer
        return cls(ids - ANSWER * answer, lengths.cpu(), scored, answer.sum(1).cpu())

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def padded(self) -> bool:
        """Whether any of the texts is shorter than the batch."""
        return bool((self.lengths < self.ids.shape[1]).any())

    @property
    def counted(self) -> Tensor:
        """True where an element of (B, T, E) counts, (B, T, 1)."""
        return self.scored[..., None]

    @property
    def of_sample(self) -> tuple[Tensor, ...]:
        """What critics are told of each sample beside its features, (B, …) each."""
        return (self.scored,)

    def given(self, arguments: Arguments) -> Tokens:
        """Refuse what a classifier of texts would be called with beside its token ids.

        Raises:
            AttributionError: There is something.
        """
        if arguments.values:
            raise AttributionError(
                "additional_forward_args are passed along with images, signals and volumes; of "
                "texts explain a module whose forward(self, ids, attention_mask) gives the rest."
            )
        return self

    @property
    def answers(self) -> list[tuple[int, ...]]:
        """Return the ids of the answer at the end of each text, if there is one."""
        ends = zip(self.ids, self.lengths, self.answered, strict=True)
        return [tuple(ids[length - count : length].tolist()) for ids, length, count in ends]

    def shape(self, values: Tensor) -> tuple[int, ...]:
        """Return the shape of what the caller gave, from which (B, T, E) were made."""
        return tuple(self.ids.shape)

    def select(self, rows: Sequence[int] | slice) -> Tokens:
        """Return some of the texts, padded as they are."""
        which = rows if isinstance(rows, slice) else list(rows)
        parts = (self.ids, self.lengths, self.scored, self.answered)
        return Tokens(*(part[which] for part in parts))

    def trimmed(self) -> Tokens:
        """Return the texts with no more padding than the longest needs."""
        longest = int(self.lengths.max())
        parts = (self.ids[:, :longest], self.lengths, self.scored[:, :longest])
        return Tokens(*parts, self.answered)

    def cut(self, values: Tensor) -> Tensor:
        """Return embeddings (B, T, E) of as many tokens as there are."""
        return values[:, : self.ids.shape[1]]

    def repeat(self, times: int) -> Tokens:
        """Return every text `times` times in turn."""
        parts = (self.ids, self.lengths, self.scored, self.answered)
        return Tokens(*(part.repeat_interleave(times, 0) for part in parts))

    def only_scored(self, changed: Tensor, clean: Tensor) -> Tensor:
        """Take back, to `clean`, what was changed of (B, …, T, E) where nothing is scored."""
        scored = self.scored.view(len(self), *[1] * (changed.ndim - 3), -1, 1)
        return torch.where(scored, changed, clean)

    def zeroed(self, maps: Tensor) -> Tensor:
        """Return maps (B, T) that are 0 where nothing is scored."""
        return torch.where(self.scored, maps, 0)

    def with_least(self, maps: Tensor) -> Tensor:
        """Return maps (B, T) that have the least of their values where nothing is scored."""
        least = maps.masked_fill(~self.scored, torch.inf).amin(1, keepdim=True)
        return torch.where(self.scored, maps, least)

    def map_of(self, maps: Tensor, i: int) -> Tensor:
        """Return one text's map out of (B, T), without padding and 0 at what is not scored."""
        length = int(self.lengths[i])
        return maps[i, :length] * self.scored[i, :length].to(maps.device)


@dataclass(frozen=True, eq=False)
class NoTokens:
    """What stands behind images, with the answers of `Tokens` where all counts and nothing pads.

    Attributes:
        beside: What the classifier is called with beside the images.
    """

    beside: Arguments = NO_ARGUMENTS

    arguments: ClassVar = frozenset[str]()
    lengths: ClassVar = None
    counted: ClassVar = None
    of_sample: ClassVar[tuple[Tensor, ...]] = ()

    def shape(self, values: Tensor) -> tuple[int, ...]:
        """Return the shape of the images themselves."""
        return tuple(values.shape)

    def given(self, arguments: Arguments) -> NoTokens:
        """Return what stands behind images with which a classifier is given arguments."""
        return NoTokens(arguments)

    def select(self, rows: Sequence[int] | slice) -> NoTokens:
        """Return the same of some of the images."""
        return NoTokens(self.beside.select(rows))

    def repeat(self, times: int) -> NoTokens:
        """Return the same of every image `times` times in turn."""
        return NoTokens(self.beside.repeat(times))

    def trimmed(self) -> NoTokens:
        """Return the same: nothing pads images."""
        return self

    def only_scored(self, changed: Tensor, *_: object) -> Tensor:
        """Return images or maps as they are."""
        return changed

    cut = zeroed = with_least = only_scored

    def map_of(self, maps: Tensor, i: int) -> Tensor:
        """Return one image's map."""
        return maps[i]


NO_TOKENS = NoTokens()

Behind = Tokens | NoTokens
"""What stands behind a batch of inputs: tokens behind embeddings, nothing behind images."""
