"""Texts as word pieces, and the words that pieces make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from input_iba.datasets import IMDBDataset, PieceDataset
from input_iba.datasets.given_texts import GivenTexts
from input_iba.datasets.pieces import MAX_PIECES, Piece, words_of
from input_iba.errors import DataError
from tests.datasets.reviews import write_reviews
from tests.models.tiny_bert import tokenizer
from tests.models.tiny_tokenizers import byte_level, sentence_piece

REVIEW = "so fun and so good flatness dull bad"
"""Eight words; 'flatness' is two pieces."""


def pieces(root: Path, keep: str | None, length: int, side: str = "right") -> PieceDataset:
    write_reviews(root, {"train/pos": {"0_9": REVIEW}, "train/neg": {"0_2": "dull"}})
    cuts = tokenizer()
    cuts.truncation_side = side
    return PieceDataset(IMDBDataset(root, keep=keep), cuts, length)


@pytest.mark.parametrize(
    ("keep", "side", "words", "owners"),
    [
        ("first", "left", ("so", "fun", "and", "so"), (-1, 0, 1, 2, 3, -1)),
        ("last", "right", ("ness", "dull", "bad"), (-1, 0, 1, 2, -1)),
        (None, "left", ("flatness", "dull", "bad"), (-1, 0, 0, 1, 2, -1)),
        (None, "right", ("so", "fun", "and", "so", "good"), (-1, 0, 1, 2, 3, 4, -1)),
    ],
)
def test_which_end_of_a_long_review_stays(
    tmp_path: Path, keep: str | None, side: str, words: tuple[str, ...], owners: tuple[int, ...]
) -> None:
    dataset = pieces(tmp_path, keep, len(owners), side)
    sample = dataset[dataset.ids.index("0_9")]
    assert sample.tokens == words
    assert sample.words == owners
    first, last = sample.input[0].item(), sample.input[-1].item()
    assert (first, last) == (dataset.tokenizer.cls_token_id, dataset.tokenizer.sep_token_id)
    assert torch.equal(sample.input, dataset[dataset.ids.index("0_9")].input)


def test_a_short_review_stays_whole(tmp_path: Path) -> None:
    for keep in ("first", "last"):
        dataset = pieces(tmp_path, keep, 40)
        assert dataset[dataset.ids.index("0_9")].tokens == tuple(REVIEW.split())


def test_the_tokenizer_that_was_given_is_not_changed(tmp_path: Path) -> None:
    write_reviews(tmp_path)
    own = tokenizer()
    PieceDataset(IMDBDataset(tmp_path, keep="last"), own, 8)
    assert own.truncation_side == "right"


def test_the_fingerprint_says_which_end_stays(tmp_path: Path) -> None:
    prints = {pieces(tmp_path, keep, 8).fingerprint() for keep in ("first", "last")}
    assert len(prints) == 2
    assert pieces(tmp_path, None, 8).fingerprint() == pieces(tmp_path, "first", 8).fingerprint()


def words_by(tokenizer: Any, root: Path, text: str) -> tuple[str, ...]:
    write_reviews(root, {"train/pos": {"0_9": text}, "train/neg": {"0_2": "dull"}})
    dataset = PieceDataset(IMDBDataset(root), tokenizer, None)
    sample = dataset[dataset.ids.index("0_9")]
    assert sample.words is not None
    assert sample.tokens is not None
    assert len(sample.words) == len(sample.input)
    assert max(sample.words) == len(sample.tokens) - 1
    return sample.tokens


@pytest.mark.parametrize("cuts", [byte_level, sentence_piece])
def test_a_text_without_spaces_is_more_than_one_word(cuts: Any, tmp_path: Path) -> None:
    assert words_by(cuts(), tmp_path / "zh", "电影很好看") == ("电", "影", "很", "好", "看")
    thai = words_by(cuts(), tmp_path / "th", "หนังดีมาก")
    assert thai == ("ห", "นั", "ง", "ดี", "ม", "า", "ก")


@pytest.mark.parametrize("cuts", [byte_level, sentence_piece])
def test_words_with_spaces_are_those_between_them(cuts: Any, tmp_path: Path) -> None:
    assert words_by(cuts(), tmp_path, " good\n\n  goodness") == ("good", "goodness")


@pytest.mark.parametrize("cuts", [tokenizer, byte_level, sentence_piece])
@pytest.mark.parametrize("text", ["", " \n\t ", "</s> <pad>"])
def test_a_text_without_words_is_empty(cuts: Any, text: str, tmp_path: Path) -> None:
    if cuts is tokenizer:
        text = text.replace("</s>", "[SEP]").replace("<pad>", "[PAD]")
    with pytest.raises(DataError, match="is empty"):
        words_by(cuts(), tmp_path, text)


@pytest.mark.parametrize("cuts", [tokenizer, byte_level, sentence_piece])
def test_a_line_break_of_html_is_never_a_word(cuts: Any, tmp_path: Path) -> None:
    text = "So “dull”.<br /><br />Flat\r\n\tfilm, isn't it?"
    write_reviews(tmp_path, {"train/pos": {"0_9": text}, "train/neg": {"0_2": "dull"}})
    dataset = PieceDataset(IMDBDataset(tmp_path), cuts(), None)
    sample = dataset[dataset.ids.index("0_9")]
    assert not {"<", "br", "/", ">"} & set(sample.tokens)
    assert "".join(sample.shown.parts) == sample.text == "So “dull”.\n\nFlat\n\tfilm, isn't it?"
    assert tuple(sample.shown.words) == sample.tokens
    if cuts is not sentence_piece:  # the tiny one cuts at spaces alone; real ones make them spaces
        assert {"So", "Flat", "it"} <= {word.strip("?") for word in sample.tokens}


def test_what_is_not_read_of_a_long_text_is_not_shown(tmp_path: Path) -> None:
    shown = [
        "".join(dataset[dataset.ids.index("0_9")].shown.parts)
        for dataset in (pieces(tmp_path, "first", 6), pieces(tmp_path, "last", 5))
    ]
    assert shown == ["so fun and so …", "… ness dull bad"]


def words(text: str, *pieces: tuple[int | None, int, int]) -> list[str]:
    owners, spans = words_of(text, [Piece(*piece) for piece in pieces])
    assert sorted({owner for owner in owners if owner >= 0}) == list(range(len(spans)))
    return [text[start:end] for start, end in spans]


def letters(text: str, word: int = 0) -> list[tuple[int | None, int, int]]:
    """Return one piece per character, all of one word of the tokenizer."""
    return [(word, place, place + 1) for place in range(len(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("unforgettable", ["unforgettable"]),
        ("незабываемый", ["незабываемый"]),
        ("훌륭한 영화", ["훌륭한", "영화"]),
        ("हिन्दी", ["हिन्दी"]),
        ("电影很好", ["电", "影", "很", "好"]),
        ("映画です。", ["映", "画", "で", "す", "。"]),
        ("หนังดี", ["ห", "นั", "ง", "ดี"]),
        ("ທ້າວ", ["ທ້", "າ", "ວ"]),
        ("ខ្មែរ", ["ខ្មែ", "រ"]),
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("iPad很好", ["iPad", "很", "好"]),
        ("𠀀𠀁", ["𠀀", "𠀁"]),
        ("a b", ["a", "b"]),
        ("cafe\u0301s", ["cafe\u0301s"]),
    ],
)
def test_one_piece_per_character(text: str, found: list[str]) -> None:
    assert words(text, *letters(text)) == found


def test_pieces_of_several_characters_stay_whole() -> None:
    assert words("电影很好看", (0, 0, 2), (0, 2, 5)) == ["电影", "很好看"]


def test_a_character_is_never_cut() -> None:
    # Bytes: the second piece ends one character and begins the next.
    assert words("电影好", (0, 0, 1), (0, 0, 2), (0, 1, 2), (0, 2, 3)) == ["电影", "好"]
    # GPT-2 takes marks for words of their own.
    assert words("नमी a", (0, 0, 1), (0, 1, 2), (1, 2, 3), (2, 4, 5)) == ["नमी", "a"]
    assert words("❤\ufe0f👩\u200d💻", *enumerated("❤\ufe0f👩\u200d💻")) == ["❤\ufe0f", "👩\u200d💻"]


def enumerated(text: str) -> list[tuple[int | None, int, int]]:
    """Return one piece per character, each a word of the tokenizer."""
    return [(place, place, place + 1) for place in range(len(text))]


def test_words_of_the_tokenizer_stay_apart_without_spaces() -> None:
    assert words("fun!", (0, 0, 3), (1, 3, 4)) == ["fun", "!"]


def test_white_space_ends_a_word_of_the_tokenizer() -> None:
    # Tokenizers without rules for words call a whole text one.
    assert words("so fun", (0, 0, 2), (0, 2, 6)) == ["so", " fun"]
    assert words("so  fun", (0, 0, 2), (0, 2, 3), (0, 3, 7)) == ["so", " fun"]


def test_white_space_alone_is_not_a_word() -> None:
    owners, spans = words_of(" \n a", [Piece(0, 0, 1), Piece(1, 1, 2), Piece(2, 2, 4)])
    assert (owners, spans) == ([-1, -1, 0], [(2, 4)])
    assert words(" \n ", (0, 0, 1), (1, 1, 3)) == []


def test_what_is_too_long_for_a_word_is_cut() -> None:
    assert words("x" * MAX_PIECES, *letters("x" * MAX_PIECES)) == ["x" * MAX_PIECES]
    long = "a\u0301" * MAX_PIECES
    assert words(long, *letters(long)) == ["a\u0301"] * MAX_PIECES


def test_what_both_ends_and_pads_texts_is_left_out() -> None:
    """No model could tell the end from padding; masks have a value for every id that is left."""
    cuts = byte_level()
    ended = PieceDataset(GivenTexts(["a great film"]), cuts, None)[0]
    cuts.pad_token = cuts.eos_token
    sample = PieceDataset(GivenTexts(["a great film"]), cuts, None)[0]
    assert torch.equal(sample.input, ended.input[:-1])
    assert sample.words == ended.words[:-1]  # type: ignore[index]
    assert sample.tokens == ("a", "great", "film")
