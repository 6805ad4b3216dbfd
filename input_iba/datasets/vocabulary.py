"""Words and their indices, in torchtext's order."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from input_iba.core.files import read_json, written_whole
from input_iba.errors import DataError

LOGGER = logging.getLogger(__name__)

UNKNOWN_INDEX = 0
SPECIALS = ("<unk>", "<pad>")
"""Words of the indices `UNKNOWN_INDEX` and `PAD_INDEX`."""


@dataclass(frozen=True)
class Vocabulary:
    """Words by index: `<unk>`, `<pad>`, then words, the most frequent first."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def index(self) -> dict[str, int]:
        """Return the index of every word but the two special ones."""
        return {word: i for i, word in enumerate(self.words) if i >= len(SPECIALS)}

    def encode(self, tokens: Sequence[str]) -> Tensor:
        """Return the indices (T,), int64; what is not in the vocabulary becomes `<unk>`.

        A token that reads `<pad>` is a word of the text, and so unknown: it must count.
        """
        return torch.tensor([self.index.get(token, UNKNOWN_INDEX) for token in tokens])

    def digest(self) -> str:
        """Return a SHA-256 over all words in order, 64 hexadecimal digits."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()


def build_vocabulary(texts: Iterable[Sequence[str]], max_words: int) -> Vocabulary:
    """Count the words of tokenised texts and keep the most frequent, beside `<unk>` and `<pad>`.

    Words of equal frequency stand in the order of their code points, as in `Vocab` of torchtext
    up to 0.8 and in `build_vocab_from_iterator` of its last release.

    >>> build_vocabulary([["b", "a", "c", "c"], ["d", "b"]], max_words=3).words
    ('<unk>', '<pad>', 'b', 'c', 'a')
    """
    counts = Counter(chain.from_iterable(texts))
    ranked = sorted(counts.keys() - SPECIALS, key=lambda word: (-counts[word], word))
    return Vocabulary((*SPECIALS, *ranked[:max_words]))


def stored_vocabulary(
    path: Path,
    built_from: Mapping[str, Any],
    texts: Callable[[], Iterable[Sequence[str]]],
    max_words: int,
) -> Vocabulary:
    """Read a vocabulary that was built before, or build it from `texts` and keep it as JSON.

    `built_from` is plain data that changes whenever the vocabulary would; see `build_vocabulary`.

    Raises:
        DataError: The file is not one of ours, or was built from something else.
    """
    if path.is_file():
        return read_vocabulary(path, built_from)
    LOGGER.info("Building the vocabulary; it is kept in '%s'", path)
    vocabulary = build_vocabulary(texts(), max_words)
    if len(vocabulary) == len(SPECIALS):
        raise DataError(f"No vocabulary for '{path.parent}': the texts hold no words.")
    content = {"built_from": dict(built_from), "words": vocabulary.words}
    try:
        with written_whole(path) as aside:
            aside.write_text(json.dumps(content, ensure_ascii=False, indent=0), encoding="utf-8")
    except OSError as error:  # a shared folder that nobody may write to
        LOGGER.warning("The vocabulary cannot be kept, and is built anew each time: %s", error)
    return vocabulary


def read_vocabulary(path: Path, built_from: Mapping[str, Any] | None = None) -> Vocabulary:
    """Read a vocabulary that was kept before, built from `built_from` unless that is None.

    Raises:
        DataError: The file is absent or not one of ours, or was built from something else.
    """
    again = "" if built_from is None else " Delete it; it is then built again."
    try:
        content = read_json(path)
        words, found = tuple(content["words"]), content["built_from"]
        json.dumps(words, ensure_ascii=False).encode()  # no halves of characters
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"Vocabulary file '{path}' cannot be read ({type(error).__name__}: {error})."
            f"{again or ' Give one that was kept beside the texts of a training.'}"
        ) from error
    if words[: len(SPECIALS)] != SPECIALS or not all(isinstance(word, str) for word in words):
        raise DataError(
            f"Vocabulary file '{path}': expected words, the first ones {', '.join(SPECIALS)}; got "
            f"{list(words[:3])}.{again}"
        )
    if built_from is not None and found != dict(built_from):
        raise DataError(
            f"Vocabulary file '{path}' was built from other texts: expected {dict(built_from)}, "
            f"got {found}. Its indices belong to classifiers trained with it. Put those texts "
            "back; or delete the file, and train the classifier again."
        )
    return Vocabulary(words)
