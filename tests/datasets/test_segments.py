"""Words in scripts with and without spaces, from pieces as tokenizers cut them."""

from __future__ import annotations

import pytest

from input_iba.datasets.pieces import MAX_PIECES, Piece, words_of


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
