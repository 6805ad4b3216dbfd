"""Texts as the word pieces that the tokenizer of a transformer cuts them into."""

from __future__ import annotations

import hashlib
from copy import copy
from typing import Any

import torch

from input_iba.datasets.base import SampleDataset
from input_iba.datasets.imdb import IMDBDataset
from input_iba.errors import DataError
from input_iba.records import TextSample


class PieceDataset(SampleDataset):
    """The texts of another data set, with the ids of a tokenizer.

    Args:
        texts: The other data set; ids, classes and files are its own.
        tokenizer: A fast tokenizer of the package `transformers`.
        max_length: Most tokens of a text, special ones included. Of longer texts stays the end that
            the other data set keeps, or else the one that the tokenizer keeps.
    """

    def __init__(self, texts: IMDBDataset, tokenizer: Any, max_length: int) -> None:
        super().__init__(texts.ids, texts.class_names)
        self.texts = texts
        self.tokenizer = copy(tokenizer)
        if texts.keep is not None:
            self.tokenizer.truncation_side = "right" if texts.keep == "first" else "left"
        self.max_length = max_length

    def __getitem__(self, index: int) -> TextSample:
        """Read a text and cut it into pieces.

        Raises:
            DataError: The text cannot be read, or holds no word.
        """
        text = self.texts.text(index)
        encoding = self.tokenizer(
            text, truncation=True, max_length=self.max_length, return_offsets_mapping=True
        )
        owners, spans = _words(encoding.word_ids(), encoding["offset_mapping"])
        if not spans:
            raise DataError(f"'{self.path(index)}' is empty: it has no word. Remove the file.")
        return TextSample(
            self.ids[index],
            torch.tensor(encoding["input_ids"]),
            self.target(index),
            self.path(index),
            tokens=tuple(text[start:end].strip() for start, end in spans),
            words=tuple(owners),
            pad=self.tokenizer.pad_token_id,
        )

    def target(self, index: int) -> int | None:
        """Return the class of a text."""
        return self.texts.target(index)

    def path(self, index: int) -> str:
        """Return the text's file."""
        return self.texts.path(index)

    def length(self, index: int) -> int:
        """Return the length of a text, as its own data set measures it."""
        return self.texts.length(index)

    def preparation(self) -> list[Any]:
        """Return a digest of the tokenizer's vocabulary, the greatest length, where it cuts."""
        vocabulary = sorted(self.tokenizer.get_vocab().items())
        side = self.tokenizer.truncation_side
        return [hashlib.sha256(repr(vocabulary).encode()).hexdigest(), self.max_length, side]

    def content(self) -> list[Any]:
        """Return names and sizes of the texts."""
        return self.texts.content()


def _words(
    word_ids: list[int | None], offsets: list[tuple[int, int]]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Number the words that pieces belong to, and find where they stand in the text.

    Args:
        word_ids: The tokenizer's number of each piece's word, None for special tokens.
        offsets: Where each piece stands in the text.

    >>> _words([None, 0, 2, 2, None], [(0, 0), (0, 2), (3, 5), (5, 9), (0, 0)])
    ([-1, 0, 1, 1, -1], [(0, 2), (3, 9)])
    """
    numbers: dict[int, int] = {}
    owners: list[int] = []
    spans: list[tuple[int, int]] = []
    for word, (start, end) in zip(word_ids, offsets, strict=True):
        if word is None:
            owners.append(-1)
            continue
        number = numbers.setdefault(word, len(numbers))
        owners.append(number)
        if number == len(spans):
            spans.append((start, end))
        else:
            spans[number] = (spans[number][0], end)
    return owners, spans
