"""Texts in VIBI: their chunks, the black box that reads them, explainer and approximator.

Chunks are words, runs of five words, or sentences. Texts travel as one tensor (B, T, 1 + E), as
images do: of every word first the number of its chunk, −1 at padding, then its vector. `packed` and
`unpacked` join and part the two. Explainer and approximator read the black box's own word vectors,
so a hidden word is the same to all three: zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.core.padding import PAD_INDEX, lengths_of
from input_iba.core.tokens import Tokens
from input_iba.errors import ConfigError, closest
from input_iba.modality import TextModality
from input_iba.training.texts import LENGTH_STEP, by_length, mixed_by_length
from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.inputs import ExplainedInputs
from input_iba.vibi.settings import KINDS

END_MARKS = (".", "!", "?")
"""Tokens that end a sentence; those that follow each other end one together."""

MAX_TOKENS = 32_768
"""Tokens, with padding, that are read at once where nothing is trained."""


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


class TextBlackBox(BlackBox):
    """A classifier of token ids (B, T) and lengths that is asked with word vectors."""

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
        lengths = inside.sum(1).cpu()
        tokens = Tokens(torch.zeros_like(chunks), lengths, inside, torch.zeros_like(lengths))
        logits: Tensor = self.modality.run(self.classifier, vectors, tokens)
        return logits


@dataclass(frozen=True)
class ExplainedTexts(ExplainedInputs):
    """Token ids (N, T), padded at the end with `pad`, in batches of similar length."""

    ASKED = 256

    pad: int = PAD_INDEX

    def rows(self, size: int, generator: torch.Generator | None = None) -> Iterator[Tensor]:
        """Yield the positions of texts of similar length."""
        lengths = lengths_of(self.inputs, self.pad)
        if generator is None:
            return by_length(lengths, size, MAX_TOKENS)
        return mixed_by_length(lengths, size, generator)

    def at(self, rows: Tensor) -> Tensor:
        """Return prepared texts with little padding, as long as a multiple of `LENGTH_STEP`."""
        longest = int(lengths_of(self.inputs[rows], self.pad).max())
        return self.prepare(self.inputs[rows, : longest + -longest % LENGTH_STEP])


class TextExplainer(nn.Module):
    """Says how much each chunk of a text is worth being chosen.

    Every word is seen with its neighbours and with what the whole text holds, as in L2X.

    References:
        Chen et al. 2018, "Learning to Explain" (arXiv 1802.07814), section 4.3: convolutions with a
        local and a global part on IMDB.
    """

    def __init__(self, embedding_dim: int = 100, width: int = 100, dropout: float = 0.2) -> None:
        super().__init__()
        self.read = nn.Conv1d(embedding_dim, width, 3, padding=1)
        self.local = nn.Conv1d(width, width, 3, padding=1)
        self.overall = nn.Linear(width, width)
        self.mix = nn.Linear(2 * width, width)
        self.score = nn.Linear(width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map texts (B, T, 1 + E) to logits (B, N), −∞ for chunks that a text does not have."""
        vectors, chunks = unpacked(inputs)
        inside = chunks >= 0
        words = (self.dropout(vectors) * inside[..., None]).transpose(1, 2)
        seen = F.relu(self.read(words)) * inside[:, None]
        overall = F.relu(self.overall(seen.amax(2)))
        local = F.relu(self.local(seen)).transpose(1, 2)
        maxima, exist = max_of_chunks(local, chunks)
        both = torch.cat([maxima, overall[:, None].expand_as(maxima)], dim=2)
        logits: Tensor = self.score(self.dropout(F.relu(self.mix(both)))).squeeze(2)
        return logits.masked_fill(~exist, float("-inf"))


class TextApproximator(nn.Module):
    """Predicts what the black box says about the whole text from the words that are shown."""

    def __init__(
        self, classes: int = 2, embedding_dim: int = 100, width: int = 200, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.read = nn.Conv1d(embedding_dim, width, 3, padding=1)
        self.mix = nn.Linear(width, width)
        self.classify = nn.Linear(width, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map texts (B, T, 1 + E) to logits (B, classes); vectors of hidden words are 0."""
        vectors, chunks = unpacked(inputs)
        inside = chunks >= 0
        words = (vectors * inside[..., None]).transpose(1, 2)
        # After the rectifier nothing is below 0, so a zero at padding is never the maximum.
        seen = (F.relu(self.read(words)) * inside[:, None]).amax(2)
        logits: Tensor = self.classify(self.dropout(F.relu(self.mix(self.dropout(seen)))))
        return logits
