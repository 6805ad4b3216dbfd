"""What a classifier says of inputs without some of their pixels or words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from input_iba.core.maps import check_maps
from input_iba.core.padding import pad
from input_iba.core.smoothing import gaussian_smooth
from input_iba.errors import EvaluationError, closest
from input_iba.records import Sample, TextSample

Classify = Callable[[Tensor], Tensor]
"""Maps inputs (B, C, H, W) to logits (B, classes)."""

TextClassify = Callable[[Tensor, Tensor], Tensor]
"""Maps token ids (B, T), and which positions keep their embedding (B, T), to logits."""

ZERO, MASK, REMOVE = REPLACEMENTS = ("zero", "mask", "remove")
"""What becomes of hidden words: their embedding is 0, a mask token stands there, or nothing."""


class Units(Protocol):
    """The U parts of each of S inputs that can be hidden: pixels or words."""

    name: ClassVar[str]

    @property
    def size(self) -> tuple[int, ...]:
        """Shape of a map of one input: (H, W), or (T,) of a text."""

    @property
    def inputs(self) -> Tensor:
        """The inputs as they are, (S, …)."""

    @property
    def scored(self) -> Tensor:
        """Which units may be hidden, (S, U), bool."""

    def check(self, heats: Tensor, targets: Tensor | Sequence[int]) -> Tensor:
        """Return the targets (S,), int64, where the inputs are.

        Raises:
            EvaluationError: Inputs, maps (S, …) and targets do not fit each other, or the heat of
                a unit is not finite.
        """

    def blurred(self, sigma: float, radius: int | None = None) -> Units:
        """Return the same units, which are blurred where they are hidden; words stay as they are.

        The Gaussian has a deviation of `sigma` pixels and reaches `radius`; None for round(2σ).
        """

    def logits(self, of: Tensor, hidden: Tensor) -> Tensor:
        """Classify the inputs `of`, (B,), without the units `hidden`, (B, U), to (B, classes).

        One logit l, (B, 1), stands for the two logits −l and l.
        """


@dataclass(frozen=True)
class Pixels:
    """Pixels, which become 0 or those of another image where they are hidden.

    Attributes:
        classify: The classifier in eval mode.
        inputs: Normalised images, (S, C, H, W).
        fill: What hidden pixels become, (S, C, H, W); None for 0.
    """

    name: ClassVar = "pixels"

    classify: Classify
    inputs: Tensor
    fill: Tensor | None = None

    @property
    def size(self) -> tuple[int, ...]:
        """H and W; of signals T, of volumes D, H and W."""
        return tuple(self.inputs.shape[2:])

    @property
    def scored(self) -> Tensor:
        """All of them."""
        count = self.inputs[0, 0].numel()
        return torch.ones(len(self.inputs), count, dtype=torch.bool, device=self.inputs.device)

    def check(self, heats: Tensor, targets: Tensor | Sequence[int]) -> Tensor:
        """Return the targets; see `Units`."""
        labels = torch.as_tensor(targets, dtype=torch.int64).to(self.inputs.device)
        single = self.inputs.ndim < 3 or heats.ndim == self.inputs.ndim
        if single or labels.shape != self.inputs.shape[:1]:
            raise EvaluationError(
                f"Expected inputs (S, C, H, W) and one target each; got inputs "
                f"{tuple(self.inputs.shape)} and targets {tuple(labels.shape)}."
            )
        check_maps(heats, (len(self.inputs), *self.size))
        return labels

    def blurred(self, sigma: float, radius: int | None = None) -> Units:
        """Return the same pixels, which are blurred where they are hidden; see `Units`."""
        fill = gaussian_smooth(self.inputs, sigma, radius, dims=len(self.size))
        return replace(self, fill=fill)

    def logits(self, of: Tensor, hidden: Tensor) -> Tensor:
        """Classify images without some pixels; see `Units`."""
        fill = 0 if self.fill is None else chosen(self.fill, of)
        where = hidden.view(-1, 1, *self.size)
        return self.classify(torch.where(where, fill, chosen(self.inputs, of)))


@dataclass(frozen=True)
class Words:
    """Words, whose embedding becomes 0 where they are hidden, or what `replacing` makes of them.

    Attributes:
        classify: The classifier in eval mode.
        inputs: Token ids, padded to one length, (S, T).
        scored: Words among them, which are neither padding nor special, (S, T), bool.
    """

    name: ClassVar = "words"

    classify: TextClassify
    inputs: Tensor
    scored: Tensor

    @property
    def size(self) -> tuple[int, ...]:
        """T."""
        return tuple(self.inputs.shape[-1:])

    def check(self, heats: Tensor, targets: Tensor | Sequence[int]) -> Tensor:
        """Return the targets; see `Units`. The heat of what is not scored does not matter."""
        labels = torch.as_tensor(targets, dtype=torch.int64).to(self.inputs.device)
        shapes = [tuple(values.shape) for values in (self.inputs, heats, self.scored)]
        if self.inputs.ndim != 2 or len(set(shapes)) != 1 or labels.shape != self.inputs.shape[:1]:
            raise EvaluationError(
                f"Expected token ids, heats and scored positions (S, T) and one target each; got "
                f"{shapes[0]}, {shapes[1]}, {shapes[2]} and {tuple(labels.shape)}."
            )
        if not bool(self.scored.any(1).all()):
            raise EvaluationError(
                "A text holds nothing but padding and special tokens. Leave it out: it has no "
                "words to take away."
            )
        if not bool((heats.isfinite() | ~self.scored.to(heats.device)).all()):
            raise EvaluationError(
                "A word's heat is NaN or infinite, which has no rank. Leave the text out, or "
                "explain it again."
            )
        return labels

    def blurred(self, sigma: float, radius: int | None = None) -> Units:
        """Return the same words, which cannot be blurred."""
        return self

    def logits(self, of: Tensor, hidden: Tensor) -> Tensor:
        """Classify texts without some words; see `Units`."""
        found = self.classify(self.inputs[of], ~hidden)
        return found[:, None] if found.ndim == 1 else found


def chosen(values: Tensor, of: Tensor) -> Tensor:
    """Return the rows `of` of values (S, …); the only one as it is, to be broadcast."""
    return values if len(values) == 1 else values[of]


def units_of(sample: Sample, classify: Callable[..., Tensor], replace: str = ZERO) -> Units:
    """Return the units of one sample.

    All pieces of a word are hidden together. Special tokens, which belong to no word, always stay.
    `classify` is a `Classify` of images, or a `TextClassify`; `replace`, one of `REPLACEMENTS`,
    says what becomes of hidden words.

    Raises:
        EvaluationError: See `replacing`.
    """
    if not isinstance(sample, TextSample):
        return Pixels(classify, sample.input[None])
    words = torch.arange(len(sample.tokens), device=sample.input.device)
    owners = words if sample.words is None else torch.tensor(sample.words).to(words)
    replacing_words = replacing(classify, replace, sample.pad, sample.mask)

    def by_words(numbers: Tensor, keep: Tensor) -> Tensor:
        kept = keep[:, owners.clamp(min=0)] | (owners < 0)
        return replacing_words(sample.input.expand(len(numbers), -1), kept)

    return Words(by_words, words[None], torch.ones_like(words, dtype=torch.bool)[None])


def replacing(
    classify: TextClassify, how: str, pad_index: int, mask_index: int | None = None
) -> TextClassify:
    """Return a classifier that reads something else where words do not keep their embedding.

    With 'zero' it is the classifier itself, which reads the embedding 0. With 'mask' the token
    `mask_index` stands at every hidden position. With 'remove' nothing does: what is left moves
    together, and is padded at its end to the longest text of the batch.

    Raises:
        EvaluationError: `how` is none of `REPLACEMENTS`, or there is no mask token.
    """
    if how not in REPLACEMENTS:
        raise EvaluationError(
            f"What replaces words is one of {', '.join(REPLACEMENTS)}; got {how!r}."
            f"{closest(how, REPLACEMENTS)}"
        )
    if how == MASK and mask_index is None:
        raise EvaluationError(
            "The classifier's tokenizer has neither a mask token nor one for unknown words, so "
            f"nothing can stand for a hidden word. Replace words by {ZERO!r} or {REMOVE!r}."
        )

    def with_mask(tokens: Tensor, keep: Tensor) -> Tensor:
        return classify(torch.where(keep, tokens, mask_index or 0), torch.ones_like(keep))

    def without(tokens: Tensor, keep: Tensor) -> Tensor:
        shorter = without_words(tokens, keep, pad_index)
        return classify(shorter, torch.ones_like(shorter, dtype=torch.bool))

    return {ZERO: classify, MASK: with_mask, REMOVE: without}[how]


def without_words(tokens: Tensor, keep: Tensor, pad_index: int) -> Tensor:
    """Return what is left of token ids (B, T), padded at its end to the longest text, (B, T').

    A text of which nothing is left is one token of padding, since no classifier reads none at all.

    >>> tokens, keep = torch.tensor([[5, 6, 7], [8, 9, 4]]), torch.tensor([[0, 1, 1], [0, 0, 1]])
    >>> without_words(tokens, keep.bool(), pad_index=1)
    tensor([[6, 7],
            [4, 1]])
    """
    empty = tokens.new_full((1,), pad_index)
    left = [text[kept] for text, kept in zip(tokens, keep, strict=True)]
    return pad([text if len(text) else empty for text in left], pad_index).ids
