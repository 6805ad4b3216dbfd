"""What data sets of text share: words by a vocabulary, which end of long texts stays, classes."""

from __future__ import annotations

import hashlib
import json
import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from input_iba.datasets.base import SampleDataset, build_dataset
from input_iba.datasets.tokens import TOKENIZER, basic_english, cleaned, overlapping, words_read
from input_iba.datasets.vocabulary import (
    UNKNOWN_INDEX,
    Vocabulary,
    read_vocabulary,
    stored_vocabulary,
)
from input_iba.errors import ConfigError, DataError, closest
from input_iba.records import TextSample

LOGGER = logging.getLogger(__name__)

MAX_WORDS = 25_000


class TextDataset(SampleDataset):
    """Texts, as words of a vocabulary; what has a tokenizer of its own reads them by `text`.

    Args:
        place: Folder or file that the texts are from.
        ids: See `SampleDataset`, as `class_names`, `targets` and `paths`.
        max_length: Longer texts are cut to their last tokens, since a recurrent classifier reads
            its final state, and reviews conclude at their end; None keeps them whole.
        keep: Which tokens of longer texts stay instead, 'first' or 'last'; of those that the
            tokenizer of a transformer reads, None leaves the choice to it.
        max_words: Most words of a vocabulary that is built, beside `<unk>` and `<pad>`.
        vector_cache: Folder of word vectors, with which training begins; attribution needs none.
        vocabulary: The file that was kept beside a classifier's training set, or the config of that
            data set; None for classifiers with a tokenizer of their own.
    """

    def __init__(
        self,
        place: Path,
        ids: list[str],
        class_names: Sequence[str] | None,
        targets: Sequence[int | None] | None,
        paths: Sequence[str],
        *,
        max_length: int | None = None,
        keep: str | None = None,
        max_words: int = MAX_WORDS,
        vector_cache: str | Path | None = None,
        vocabulary: str | Path | Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(ids, class_names, targets, paths)
        if keep is not None:
            self.check_choice("keep", keep, ("first", "last"))
        for name, value in (("max_length", max_length), ("max_words", max_words)):
            if value is not None and (type(value) is not int or value < 1):
                kind = type(self).__name__
                raise ConfigError(f"`{name}` of {kind} must be at least 1, got {value!r}.")
        self.place = place
        self.max_length = max_length
        self.keep = keep
        self.max_words = max_words
        self.vector_cache = None if vector_cache is None else Path(vector_cache)
        self.own_vocabulary = known_vocabulary(vocabulary)

    @abstractmethod
    def raw_text(self, index: int) -> str:
        """Return a text as its file holds it; raise `DataError` where it cannot be read."""

    def text(self, index: int) -> str:
        """Return a text as people read it, line breaks and all; see `raw_text`."""
        return cleaned(self.raw_text(index))

    def length(self, index: int) -> int:
        """Return the number of characters."""
        return len(self.raw_text(index))

    def __getitem__(self, index: int) -> TextSample:
        vocabulary = self.vocabulary
        tokens, places, part, spans = words_read(
            self.text(index), self.max_length, first=self.keep == "first"
        )
        if not tokens:
            raise self.empty(index)
        return TextSample(
            self.ids[index],
            vocabulary.encode(tokens),
            self.target(index),
            self.path(index),
            tokens=tuple(tokens),
            mask=UNKNOWN_INDEX,
            text=part,
            spans=spans,
            evidence=self.evidence(index, places),
        )

    def marked(self, index: int) -> Sequence[tuple[int, int]] | None:
        """Return what people marked in `text(index)` as evidence of its class.

        First and last character (exclusive) of every part; None where nobody was asked.
        """
        return None

    def evidence(self, index: int, words: Sequence[tuple[int, int]]) -> tuple[bool, ...] | None:
        """Return which words, by their places in `text(index)`, are evidence at least in part."""
        parts = self.marked(index)
        return None if parts is None else tuple(overlapping(words, parts))

    @property
    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary that the texts are read with.

        Raises:
            ConfigError: There is none.
        """
        if self.own_vocabulary is not None:
            return self.own_vocabulary
        raise ConfigError(
            f"The texts in '{self.place}' have no vocabulary, and the classifier has no tokenizer "
            f"of its own. Set `vocabulary` of {type(self).__name__} to the file that the "
            "classifier was trained with, or to the config of its training set."
        )

    def preparation(self) -> list[Any]:
        """Return tokenizer, vocabulary, greatest length, and which end is kept if not the last."""
        first = ["first"] if self.keep == "first" else []
        digest = None if self.own_vocabulary is None else self.own_vocabulary.digest()
        return [TOKENIZER, digest, self.max_length, *first]

    def empty(self, index: int) -> DataError:
        """Return what is said of a text without a word."""
        return DataError(f"Text '{self.path(index)}' is empty: it has no word. Remove it.")

    def check_choice(self, name: str, value: Any, known: Sequence[str]) -> None:
        """Raise a `ConfigError` where a value of an argument is not among those known."""
        if value not in known:
            raise ConfigError(
                f"`{name}` of {type(self).__name__} is one of {', '.join(known)}; got {value!r}."
                f"{closest(str(value), known)}"
            )

    def vocabulary_file(self) -> Path:
        """Return where a vocabulary that is built from these texts is kept."""
        return self.place / f"vocabulary_{self.max_words}.json"

    def build_vocabulary(self) -> Vocabulary:
        """Return the vocabulary of these texts, which is kept beside them; see its function."""
        built_from = {
            "tokenizer": TOKENIZER,
            "max_words": self.max_words,
            "reviews": len(self),
            "fingerprint": hashlib.sha256(json.dumps(self.content()).encode()).hexdigest(),
        }
        path = self.vocabulary_file()
        return stored_vocabulary(path, built_from, self._tokenised, self.max_words)

    def _tokenised(self) -> Iterator[list[str]]:
        for index in range(len(self)):
            try:
                yield basic_english(self.text(index))
            except DataError as error:
                LOGGER.warning("Left out of the vocabulary: %s", error)


def known_vocabulary(given: str | Path | Mapping[str, Any] | None) -> Vocabulary | None:
    """Return the vocabulary in a file that was kept beside other texts, or of those texts' config.

    Raises:
        ConfigError: The config is not of a data set of text.
        DataError: The file, or the texts, are not there.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return read_vocabulary(Path(given))
    texts = build_dataset(given)
    if not isinstance(texts, TextDataset):
        raise ConfigError(
            f"`vocabulary` is built from texts; expected the config of a data set of text, got "
            f"type {given['type']!r}."
        )
    return texts.own_vocabulary or texts.build_vocabulary()


def load_texts(
    dataset: SampleDataset,
    on_sample: Callable[[], object] = lambda: None,
    indices: Sequence[int] | None = None,
) -> tuple[tuple[Tensor, ...], Tensor]:
    """Read every text, or some, into memory, to train classifiers; leave out what is not readable.

    Returns:
        Token ids of each text (T_s,), and targets (N,), int64.

    Raises:
        DataError: A text has no class, or none can be used.
    """
    texts, targets = [], []
    for i in range(len(dataset)) if indices is None else indices:
        target = dataset.target(i)
        if target is None:
            raise DataError(f"Text '{dataset.path(i)}' has no class; training needs classes.")
        try:
            texts.append(dataset[i].input)
            targets.append(target)
        except DataError as error:
            LOGGER.warning("Left out: %s", error)
        on_sample()
    if not texts:
        raise DataError("The data set has no text that can be used; training needs some.")
    return tuple(texts), torch.tensor(targets)
