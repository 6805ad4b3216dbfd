"""Movie reviews with their sentiment."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from input_iba.datasets.acl_imdb import review_folder
from input_iba.datasets.base import SampleDataset
from input_iba.datasets.ids import unique_ids
from input_iba.datasets.tokens import TOKENIZER, basic_english
from input_iba.datasets.vocabulary import Vocabulary, stored_vocabulary
from input_iba.errors import ConfigError, DataError, closest
from input_iba.records import TextSample
from input_iba.registry import DATASETS

LOGGER = logging.getLogger(__name__)

CLASSES = ("neg", "pos")
SPLITS = ("train", "test")
ENDS = ("first", "last")
MAX_WORDS = 25_000
MOST_REPLACED = 0.1
"""Share of characters that may be no UTF-8 before a file counts as no text at all."""


class IMDBDataset(SampleDataset):
    """Movie reviews; class 0 is 'neg', class 1 is 'pos'.

    Args:
        root: Folder of the official archive, or of what it holds; it is downloaded when absent.
        vector_cache: Folder of word vectors, with which training begins; attribution needs none.
        split: 'train' or 'test'.
        select_cls: 'pos' or 'neg' for the reviews of one class, None for both.
        max_length: Longer reviews are cut to their last tokens, since a recurrent classifier reads
            its final state, and reviews conclude at their end; None keeps them whole.
        keep: Which tokens of longer reviews stay instead, 'first' or 'last'; of those that the
            tokenizer of a transformer reads, None leaves the choice to it.
        max_words: Most words of the vocabulary beside `<unk>` and `<pad>`. It is built from the
            train split, whatever `split` says, and kept beside it.

    Attributes:
        vocabulary: Words by index.
        vector_cache: Folder of word vectors, or None.

    Raises:
        ConfigError: An argument is out of its range.
        DataError: The reviews are not there; says what to put where.
    """

    def __init__(
        self,
        root: str | Path = "data/imdb/",
        vector_cache: str | Path | None = None,
        split: str = "train",
        select_cls: str | None = None,
        max_length: int | None = None,
        keep: str | None = None,
        max_words: int = MAX_WORDS,
    ) -> None:
        _check_choice("split", split, SPLITS)
        if keep is not None:
            _check_choice("keep", keep, ENDS)
        if select_cls is not None:
            _check_choice("select_cls", select_cls, CLASSES)
        for name, value in (("max_length", max_length), ("max_words", max_words)):
            if value is not None and (type(value) is not int or value < 1):
                raise ConfigError(f"`{name}` of IMDBDataset must be at least 1, got {value!r}.")
        self.folder = review_folder(Path(root))
        self.vector_cache = None if vector_cache is None else Path(vector_cache)
        self.max_length = max_length
        self.keep = keep
        self.max_words = max_words
        self.vocabulary = _vocabulary(self.folder, max_words)
        self.files = _reviews(self.folder, split, [select_cls] if select_cls else CLASSES)
        ids = unique_ids([(path.parent.name, path.name) for path in self.files])
        super().__init__(ids, list(CLASSES))

    def __getitem__(self, index: int) -> TextSample:
        """Read and tokenise one review.

        Raises:
            DataError: The file is no text, or holds no token.
        """
        path = self.files[index]
        tokens = basic_english(read_review(path))
        if not tokens:
            raise DataError(f"Review '{path}' is empty: it has no token. Remove the file.")
        if self.max_length is not None:
            length = self.max_length
            tokens = tokens[:length] if self.keep == "first" else tokens[-length:]
        ids = self.vocabulary.encode(tokens)
        return TextSample(self.ids[index], ids, self.target(index), str(path), tokens=tuple(tokens))

    def text(self, index: int) -> str:
        """Return a review as it stands in its file.

        Raises:
            DataError: The file is no text.
        """
        return read_review(self.files[index])

    def target(self, index: int) -> int:
        """Return 0 for a negative review and 1 for a positive one."""
        return CLASSES.index(self.files[index].parent.name)

    def path(self, index: int) -> str:
        """Return the review's file."""
        return str(self.files[index])

    def length(self, index: int) -> int:
        """Return the size of a review's file in bytes."""
        return self.files[index].stat().st_size

    def preparation(self) -> list[Any]:
        """Return tokenizer, vocabulary, greatest length, and which end is kept if not the last."""
        first = ["first"] if self.keep == "first" else []
        return [TOKENIZER, self.vocabulary.digest(), self.max_length, *first]

    def content(self) -> list[Any]:
        """Return relative name and size in bytes of every review."""
        return _names_and_sizes(self.folder, self.files)


def read_review(path: Path) -> str:
    """Read a text file; what is not UTF-8 is replaced, with a warning.

    Raises:
        DataError: The file cannot be read, or is no text in UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"Review '{path}' cannot be read: {error}.") from error
    if b"\0" in content:
        raise DataError(f"Review '{path}' is no text in UTF-8: it has NULs. Convert it to UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = content.decode("utf-8-sig", "replace")
        if text.count("\ufffd") > MOST_REPLACED * len(text):
            raise DataError(
                f"Review '{path}' is no text in UTF-8: {error}. Convert it to UTF-8."
            ) from error
        LOGGER.warning(
            "Review '%s' is not all UTF-8 (%s); unreadable characters are replaced.", path, error
        )
    return text


def _check_choice(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigError(
            f"`{name}` of IMDBDataset is one of {', '.join(known)}; got {value!r}."
            f"{closest(str(value), known)}"
        )


def _reviews(folder: Path, split: str, classes: Any) -> list[Path]:
    """List the reviews of a split, class by class, sorted by name."""
    files = []
    for name in classes:
        place = folder / split / name
        found = sorted(place.glob("*.txt")) if place.is_dir() else []
        if not found:
            raise DataError(
                f"No reviews in '{place}'. Expected the layout of the official archive: "
                f"'{folder}/{{train,test}}/{{pos,neg}}/<number>_<rating>.txt'."
            )
        files += found
    return files


def _names_and_sizes(folder: Path, files: list[Path]) -> list[Any]:
    return [[path.relative_to(folder).as_posix(), path.stat().st_size] for path in files]


def _vocabulary(folder: Path, max_words: int) -> Vocabulary:
    """Return the vocabulary of the train split."""
    files = _reviews(folder, "train", CLASSES)
    named = json.dumps(_names_and_sizes(folder, files)).encode()
    built_from = {
        "tokenizer": TOKENIZER,
        "max_words": max_words,
        "reviews": len(files),
        "fingerprint": hashlib.sha256(named).hexdigest(),
    }
    path = folder / f"vocabulary_{max_words}.json"
    return stored_vocabulary(path, built_from, lambda: _tokenised(files), max_words)


def _tokenised(files: list[Path]) -> Iterator[list[str]]:
    for path in files:
        try:
            yield basic_english(read_review(path))
        except DataError as error:
            LOGGER.warning("Left out of the vocabulary: %s", error)


DATASETS.register_module(name="IMDBDataset", module=IMDBDataset)
