"""Movie reviews in which people marked what is evidence of their sentiment."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from input_iba.core.files import parse_json
from input_iba.datasets.imdb import CLASSES
from input_iba.datasets.text_dataset import MAX_WORDS, TextDataset
from input_iba.datasets.tokens import cleaned, read_text
from input_iba.datasets.vocabulary import Vocabulary
from input_iba.errors import ConfigError, DataError
from input_iba.registry import DATASETS

SPLITS = ("train", "val", "test")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Marked:
    """A review: the name of its document, its class, and the words marked, from first to last."""

    document: str
    group: str
    words: tuple[tuple[int, int], ...]


@DATASETS.register_module()
class EraserMovies(TextDataset):
    """Movie reviews with human evidence; class 0 is 'neg', class 1 is 'pos'.

    The documents' words are what stands between white space. A word that the classifier reads is
    evidence where it shares a character with one that was marked.

    Args:
        root: Folder with `train.jsonl`, `val.jsonl` and the documents in `docs/`.
        split: 'train', 'val' or 'test'.
        select_cls: 'pos' or 'neg' for the reviews of one class, None for both.
        window: How many words of a review are read, those in a row that hold the most evidence; see
            `richest_window`. Reviews have 770 words on average, of which one in eleven is evidence,
            though people did not mark all there is. None reads them whole.
        vocabulary: See `TextDataset`, as all that follow; None for the vocabulary of the whole
            reviews of the train split, which is kept beside them.

    References:
        DeYoung et al. 2020, "ERASER" (arXiv 1911.03429); reviews and evidence are those of Zaidan
        and Eisner 2008.
    """

    def __init__(
        self,
        root: str | Path = "data/eraser_movies/",
        split: str = "train",
        select_cls: str | None = None,
        window: int | None = None,
        vocabulary: str | Path | Mapping[str, Any] | None = None,
        max_length: int | None = None,
        keep: str | None = None,
        max_words: int = MAX_WORDS,
        vector_cache: str | Path | None = None,
    ) -> None:
        self.check_choice("split", split, SPLITS)
        if select_cls is not None:
            self.check_choice("select_cls", select_cls, CLASSES)
        if window is not None and (type(window) is not int or window < 1):
            raise ConfigError(f"`window` of EraserMovies must be at least 1, got {window!r}.")
        place = Path(root)
        found = _read_reviews(place / f"{split}.jsonl")
        self.reviews = [one for one in found if select_cls in (None, one.group)]
        self.window = window
        self.documents = place / "docs"
        super().__init__(
            place,
            [Path(one.document).stem for one in self.reviews],
            CLASSES,
            [CLASSES.index(one.group) for one in self.reviews],
            [str(self.documents / one.document) for one in self.reviews],
            max_length=max_length,
            keep=keep,
            max_words=max_words,
            vector_cache=vector_cache,
            vocabulary=vocabulary,
        )

    @property
    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary that was given, or that of the train split."""
        if self.own_vocabulary is None:
            whole = EraserMovies(self.place, max_words=self.max_words)
            self.own_vocabulary = whole.build_vocabulary()
        return self.own_vocabulary

    def raw_text(self, index: int) -> str:
        """Return a review as it stands in its file."""
        return read_text(self.documents / self.reviews[index].document)

    def text(self, index: int) -> str:
        """Return what is read of a review: all of it, or the window."""
        return self._part(index)[0]

    def length(self, index: int) -> int:
        """Return the number of characters of what is read."""
        return len(self.text(index))

    def marked(self, index: int) -> Sequence[tuple[int, int]]:
        """Return first and last character (exclusive) of every marked word in `text(index)`."""
        return self._part(index)[1]

    def preparation(self) -> list[Any]:
        """Return tokenizer, vocabulary, greatest length and which end is kept."""
        self.own_vocabulary = self.vocabulary
        return super().preparation()

    def content(self) -> list[Any]:
        """Return name, class and evidence of every review, a checksum of all, and the window."""
        texts = hashlib.sha256()
        for one in self.reviews:
            path = self.documents / one.document
            texts.update(path.read_bytes() if path.is_file() else b"")
        reviews = [[one.document, one.group, one.words] for one in self.reviews]
        return [reviews, texts.hexdigest(), self.window]

    def _part(self, index: int) -> tuple[str, list[tuple[int, int]]]:
        """Return what is read of a review, and the places of the marked words in it."""
        text, review = cleaned(self.raw_text(index)), self.reviews[index]
        words = [match.span() for match in _WORD.finditer(text)]
        marked = [False] * len(words)
        for first, last in review.words:
            if last > len(words):
                raise DataError(
                    f"Text '{self.path(index)}' has {len(words)} words, and its evidence reaches "
                    f"to word {last}. Put document and annotation of one release together."
                )
            marked[first:last] = [True] * (last - first)
        first, last = 0, len(words)
        if self.window is not None and last > self.window:
            first = richest_window(marked, self.window)
            last = first + self.window
            start = words[first][0]
            text = text[start : words[last - 1][1]]
            words = [(a - start, b - start) for a, b in words]
        return text, [words[i] for i in range(first, last) if marked[i]]


def richest_window(marked: Sequence[bool], size: int) -> int:
    """Return where the `size` words in a row begin that hold the most marked ones.

    Of equally rich ones the middle one of the first that follow each other is taken, so that the
    evidence does not stand at its edge.

    >>> richest_window([False, False, False, True, False, False], 3)
    2
    """
    sums = [0, *accumulate(marked)]
    held = [sums[i + size] - sums[i] for i in range(len(marked) - size + 1)]
    first = last = held.index(max(held))
    while last + 1 < len(held) and held[last + 1] == held[first]:
        last += 1
    return (first + last) // 2


def _read_reviews(path: Path) -> list[Marked]:
    """Read the reviews of a split, in the order of their names.

    Raises:
        DataError: The file is absent, or holds something else.
    """
    if not path.is_file():
        raise DataError(
            f"No movie reviews with evidence in '{path.parent}': expected the file '{path.name}' "
            "and the documents in 'docs/', as in the data set 'movies' of ERASER. Check `root`; "
            "paths count from the folder the command is started in."
        )
    found = {}
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            review = _review(parse_json(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"Line {number} of '{path}' is no annotated review ({type(error).__name__}: "
                f"{error}). Expected annotation_id, classification 'POS' or 'NEG', and evidences "
                "with docid, start_token and end_token."
            ) from error
        found[review.document] = review
    if not found:
        raise DataError(f"'{path}' holds no reviews. Put the file of the data set there.")
    return [found[name] for name in sorted(found)]


def _review(row: Mapping[str, Any]) -> Marked:
    document, group = str(row["annotation_id"]), str(row["classification"]).lower()
    if group not in CLASSES:
        raise ValueError(f"unknown class {row['classification']!r}")
    if Path(document).name != document:
        raise ValueError(f"{document!r} is no name of a file")
    parts = [part for together in row["evidences"] for part in together]
    words = [(int(p["start_token"]), int(p["end_token"])) for p in parts if p["docid"] == document]
    if wrong := [span for span in words if not 0 <= span[0] < span[1]]:
        raise ValueError(f"evidence from word {wrong[0][0]} to {wrong[0][1]}")
    return Marked(document, group, tuple(sorted(words)))
