"""Classifiers of text as VIBI asks them, and texts with what they say about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from input_iba.core.tokens import PAD_INDEX, Tokens, lengths_of, pad
from input_iba.modality import TextModality
from input_iba.training.texts import LENGTH_STEP, by_length, mixed_by_length
from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.inputs import ExplainedInputs
from input_iba.vibi.text_chunks import TextChunks, packed, unpacked

MOST_TOKENS = 32_768
"""Tokens, with padding, that are read at once where nothing is trained."""


class TextBlackBox(BlackBox):
    """A classifier of text that is asked with word vectors.

    Args:
        classifier: Maps token ids (B, T) and lengths to logits (B, classes), or (B, 1) for two
            classes.
        chunks: How texts are cut.
        autocast: Number format of its layers, or None for float32.
    """

    def __init__(
        self, classifier: nn.Module, chunks: TextChunks, autocast: torch.dtype | None = None
    ) -> None:
        super().__init__(classifier, None, autocast)
        self.chunks = chunks
        self.modality = TextModality(pad=getattr(classifier, "pad_index", PAD_INDEX))

    def prepare(self, ids: Tensor) -> Tensor:
        """Embed token ids (B, T) and number their chunks; returns (B, T, 1 + E), see `packed`."""
        vectors, tokens = self.modality.enter(self.classifier, ids)
        return packed(vectors, self.chunks.of(ids, tokens.valid))

    def logits(self, inputs: Tensor) -> Tensor:
        """Return the classifier's own logits of texts (B, T, 1 + E) whose hidden words are 0."""
        vectors, chunks = unpacked(inputs)
        inside = chunks >= 0
        # No id is looked up: the vectors take the place of what the embedding puts out.
        tokens = Tokens(torch.zeros_like(chunks), inside.sum(1).cpu(), inside)
        logits: Tensor = self.modality.run(self.classifier, vectors, tokens)
        return logits


@dataclass(frozen=True)
class ExplainedTexts(ExplainedInputs):
    """Token ids (N, T), padded at the end, in batches of similar length; see `ExplainedInputs`."""

    def batches(
        self, size: int, generator: torch.Generator | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield prepared texts and ln p, in random order if there is a generator."""
        lengths = lengths_of(self.inputs)
        for rows in _rows(lengths, size, generator):
            yield self.prepare(_trimmed(self.inputs, lengths, rows)), self.log_probabilities[rows]


def explained_texts(
    black_box: TextBlackBox,
    texts: Sequence[Tensor],
    device: torch.device,
    on_batch: Callable[[int], object] = lambda _: None,
) -> ExplainedTexts:
    """Ask the black box about texts once, so that training need not.

    Args:
        black_box: Its classifier is on `device`.
        texts: Token ids of each text, (T_s,).
        device: Where to compute.
        on_batch: Called with the number of texts of every batch, for progress.
    """

    def prepare(ids: Tensor) -> Tensor:
        return black_box.prepare(ids.to(device))

    inputs = pad(texts, black_box.modality.pad).ids
    lengths = lengths_of(inputs, black_box.modality.pad)
    found: list[Tensor] = []
    order: list[Tensor] = []
    with torch.no_grad(), black_box.frozen():
        for rows in _rows(lengths, 256, None):
            batch = prepare(_trimmed(inputs, lengths, rows))
            found.append(black_box.log_probabilities(batch).cpu())
            order.append(rows)
            on_batch(len(rows))
    restored = torch.cat(order).argsort()
    return ExplainedTexts(inputs, torch.cat(found)[restored], prepare)


def _rows(lengths: Tensor, size: int, generator: torch.Generator | None) -> Iterator[Tensor]:
    if generator is None:
        return by_length(lengths, size, MOST_TOKENS)
    return mixed_by_length(lengths, size, generator)


def _trimmed(inputs: Tensor, lengths: Tensor, rows: Tensor) -> Tensor:
    """Return some texts with little padding, as long as a multiple of `LENGTH_STEP`."""
    longest = int(lengths[rows].max())
    return inputs[rows, : longest + -longest % LENGTH_STEP]
