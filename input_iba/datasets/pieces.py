"""Texts as the word pieces that the tokenizer of a transformer cuts them into."""

from __future__ import annotations

import hashlib
from copy import copy
from typing import Any

import torch

from input_iba.datasets.base import SampleDataset
from input_iba.datasets.segments import METASPACE, Piece, words_of
from input_iba.datasets.text_dataset import TextDataset
from input_iba.datasets.text_files import read_part
from input_iba.records import TextSample

SEGMENTATION = 3
"""Changes whenever the same pieces make other words."""


class PieceDataset(SampleDataset):
    """The texts of another data set, with the ids of a tokenizer.

    Args:
        texts: The other data set; ids, classes and files are its own.
        tokenizer: A fast tokenizer of the package `transformers`.
        max_length: Most tokens of a text, special ones included; None for no limit. Of longer texts
            stays the end that the other data set keeps, or else the one that the tokenizer keeps.
    """

    def __init__(self, texts: TextDataset, tokenizer: Any, max_length: int | None) -> None:
        super().__init__(texts.ids, texts.class_names)
        self.texts = texts
        self.tokenizer = copy(tokenizer)
        if texts.keep is not None:
            self.tokenizer.truncation_side = "right" if texts.keep == "first" else "left"
        self.max_length = max_length
        self._special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}

    def __getitem__(self, index: int) -> TextSample:
        """Read a text and cut it into pieces.

        Raises:
            DataError: The text cannot be read, or holds no word.
        """
        text = self.texts.text(index)
        encoding = self.tokenizer(
            text,
            truncation=self.max_length is not None,
            max_length=self.max_length,
            return_offsets_mapping=True,
        )
        owners, spans = words_of(text, self._pieces(encoding))
        if not spans:
            raise self.texts.empty(index)
        spans = [_trimmed(text, *span) for span in spans]
        full = len(encoding["input_ids"]) == self.max_length
        left = self.tokenizer.truncation_side == "left"
        before = full and left and bool(text[: spans[0][0]].strip())
        behind = full and not left and bool(text[spans[-1][1] :].strip())
        part, places = read_part(text, spans, before, behind)
        return TextSample(
            self.ids[index],
            torch.tensor(encoding["input_ids"]),
            self.target(index),
            self.path(index),
            tokens=tuple(text[start:end] for start, end in spans),
            words=tuple(owners),
            pad=self.tokenizer.pad_token_id,
            text=part,
            spans=places,
        )

    def _pieces(self, encoding: Any) -> list[Piece]:
        """Return the pieces of a text; those that are special stand for no word."""
        columns = zip(
            encoding["input_ids"],
            encoding.word_ids(),
            encoding.tokens(),
            encoding["offset_mapping"],
            strict=True,
        )
        return [
            Piece(None if id_ in self._special or not token.strip(METASPACE) else word, *place)
            for id_, word, token, place in columns
        ]

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
        """Return what tokens and words depend on: vocabulary, greatest length, where it cuts."""
        vocabulary = sorted(self.tokenizer.get_vocab().items())
        side = self.tokenizer.truncation_side
        digest = hashlib.sha256(repr(vocabulary).encode()).hexdigest()
        return [digest, self.max_length, side, SEGMENTATION]

    def content(self) -> list[Any]:
        """Return names and sizes of the texts."""
        return self.texts.content()


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the place of a word without the white space that its first piece may bring."""
    word = text[start:end]
    return end - len(word.lstrip()), start + len(word.rstrip())
