"""Texts as the word pieces that the tokenizer of a transformer cuts, and the words they make."""

from __future__ import annotations

import hashlib
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple

import torch

from input_iba.datasets.base import DatasetView
from input_iba.datasets.text_dataset import TextDataset
from input_iba.datasets.tokens import read_part
from input_iba.records import TextSample

MAX_PIECES = 32
"""Pieces of a word at most; of a longer one, each character is a word."""

METASPACE = "▁"
"""White space, as SentencePiece writes it; alone, its place in the text may be the next letter."""

SEGMENTATION = 3
"""Changes whenever the same pieces make other words."""

# First and last characters of scripts without spaces between words, in ascending order.
_WITHOUT_SPACES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19FF),  # Tai Le, New Tai Lue, signs of Khmer
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x312F),  # radicals, marks of Chinese and Japanese, Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),  # more of Bopomofo and Katakana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0xA4CF),  # Han, Yi
    (0xA980, 0xA9FF),  # Javanese, more of Myanmar
    (0xAA60, 0xAADF),  # more of Myanmar, Tai Viet
    (0xF900, 0xFAFF),  # Han
    (0xFF66, 0xFF9F),  # narrow Katakana
    (0x1AFF0, 0x1B16F),  # more of Katakana and Hiragana
    (0x20000, 0x3FFFD),  # Han
)
_STARTS = [first for first, _ in _WITHOUT_SPACES]

_ONE_WITH_WHAT_PRECEDES = "\u0e33\u0eb3\u200d"
"""Beside marks: the vowel am of Thai and Lao, and the joiner of emoji."""

_ONE_WITH_WHAT_FOLLOWS = "\u200d\u1039\u17d2\u1a60"
"""The joiner, and what puts the next consonant below in Myanmar, Khmer and Tai Tham."""


class PieceDataset(DatasetView):
    """The texts of another data set, with the ids of a tokenizer.

    Args:
        texts: The other data set.
        tokenizer: A fast tokenizer of the package `transformers`.
        max_length: Most tokens of a text, special ones included; None for no limit. Of longer texts
            stays the end that the other data set keeps, or else the one that the tokenizer keeps.
    """

    def __init__(self, texts: TextDataset, tokenizer: Any, max_length: int | None) -> None:
        super().__init__(texts, texts.class_names)
        self.texts = texts
        self.tokenizer = copy(tokenizer)
        if texts.keep is not None:
            self.tokenizer.truncation_side = "right" if texts.keep == "first" else "left"
        self.max_length = max_length
        self._special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
        masks = (tokenizer.mask_token_id, tokenizer.unk_token_id)
        self._mask = next((id_ for id_ in masks if id_ is not None), None)

    def __getitem__(self, index: int) -> TextSample:
        text = self.texts.text(index)
        encoding = self.tokenizer(
            text,
            truncation=self.max_length is not None,
            max_length=self.max_length,
            return_offsets_mapping=True,
        )
        ids = self._without_padding(encoding["input_ids"])
        owners, spans = words_of(text, self._pieces(encoding)[: len(ids)])
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
            torch.tensor(ids),
            self.target(index),
            self.path(index),
            tokens=tuple(text[start:end] for start, end in spans),
            words=tuple(owners),
            pad=self.tokenizer.pad_token_id,
            mask=self._mask,
            text=part,
            spans=places,
            evidence=self.texts.evidence(index, spans),
        )

    def _without_padding(self, ids: Sequence[int]) -> Sequence[int]:
        """Leave out what ends a text where that is what pads it: no model could tell them apart."""
        end = len(ids)
        while end and ids[end - 1] == self.tokenizer.pad_token_id:
            end -= 1
        return ids[:end]

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

    def preparation(self) -> list[Any]:
        """Return what tokens and words depend on: vocabulary, greatest length, where it cuts."""
        vocabulary = sorted(self.tokenizer.get_vocab().items())
        side = self.tokenizer.truncation_side
        digest = hashlib.sha256(repr(vocabulary).encode()).hexdigest()
        return [digest, self.max_length, side, SEGMENTATION]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the place of a word without the white space that its first piece may bring."""
    word = text[start:end]
    return end - len(word.lstrip()), start + len(word.rstrip())


class Piece(NamedTuple):
    """A piece of a text, from `start` to `end` (exclusive).

    `word` is the tokenizer's number of its word; None for what stands for nothing in the text.
    Pieces of one character all lie where that character does.
    """

    word: int | None
    start: int
    end: int


def words_of(text: str, pieces: Sequence[Piece]) -> tuple[list[int], list[tuple[int, int]]]:
    """Number the words that pieces belong to, and find where they stand in the text.

    A word is what the tokenizer calls one, but never holds white space, and in scripts without
    spaces it is one piece. A character, with its accents, is never cut.

    Returns:
        The number of each of the T pieces' word, −1 for none, and first and last character
        (exclusive) of every word.

    >>> words_of("fun film", [Piece(0, 0, 3), Piece(1, 3, 6), Piece(1, 6, 8)])
    ([0, 1, 1], [(0, 3), (3, 8)])
    >>> words_of("电影很好", [Piece(None, 0, 0), Piece(0, 0, 2), Piece(0, 2, 3), Piece(0, 3, 4)])
    ([-1, 0, 1, 2], [(0, 2), (2, 3), (3, 4)])
    """
    owners = [-1] * len(pieces)
    spans: list[tuple[int, int]] = []
    for characters in _grouped(text, pieces):
        whole = [index for character in characters for index in character]
        for word in [whole] if len(whole) <= MAX_PIECES else characters:
            for index in word:
                owners[index] = len(spans)
            spans.append((min(pieces[i].start for i in word), max(pieces[i].end for i in word)))
    return owners, spans


def _grouped(text: str, pieces: Sequence[Piece]) -> list[list[list[int]]]:
    """Group the positions of pieces to characters, and these to words."""
    words: list[list[list[int]]] = []
    last: Piece | None = None
    for index, piece in enumerate(pieces):
        if piece.word is None or not text[piece.start : piece.end].strip():
            continue
        if last is not None and _one_character(text, last, piece):
            words[-1][-1].append(index)
        elif last is not None and _one_word(text, last, piece):
            words[-1].append([index])
        else:
            words.append([[index]])
        last = piece
    return words


def _one_character(text: str, last: Piece, piece: Piece) -> bool:
    """Return whether a character, accents and all, reaches from one piece into the next."""
    if piece.start != last.end:
        return piece.start < last.end
    before, after = text[piece.start - 1], text[piece.start]
    return _is_mark(after) or after in _ONE_WITH_WHAT_PRECEDES or before in _ONE_WITH_WHAT_FOLLOWS


def _one_word(text: str, last: Piece, piece: Piece) -> bool:
    """Return whether the script goes on with the same word from one piece to the next."""
    before, after = text[last.end - 1], text[piece.start]
    if any(map(str.isspace, text[last.end - 1 : piece.start + 1])):
        return False
    if without_spaces(before) or without_spaces(after):
        return False
    # Tokenizers that know letters alone take a mark for the end of the word.
    goes_on = piece.start == last.end and _is_mark(before) and after.isalpha()
    return piece.word == last.word or goes_on


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def without_spaces(character: str) -> bool:
    """Return whether a character is of a script that has no spaces between words."""
    place = bisect_right(_STARTS, ord(character)) - 1
    return place >= 0 and ord(character) <= _WITHOUT_SPACES[place][1]
