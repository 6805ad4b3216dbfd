"""Text files, and the tokenizer against a literal reading of the documented rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.datasets.tokens import basic_english, cleaned, located, read_part, read_text
from input_iba.errors import DataError

RULES = [
    (r"'", " ' "),
    (r'"', ""),
    (r"\.", " . "),
    (r"<br />", " "),
    (r",", " , "),
    (r"\(", " ( "),
    (r"\)", " ) "),
    (r"!", " ! "),
    (r"\?", " ? "),
    (r"[;:]", " "),
]
"""Normalisation as torchtext documents it, in its order."""


def literal(text: str) -> list[str]:
    text = text.lower()
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return text.split()


@given(st.lists(st.sampled_from([*"aZ '\".,()!?;:<>/-\t\n\xa0é", "<br />", "br", " />"])))
def test_any_text_is_cut_as_documented(parts: list[str]) -> None:
    text = "".join(parts)
    assert basic_english(text) == literal(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("You can now install TorchText using pip!", "you can now install torchtext using pip !"),
        ('He said "no"-body isn\'t', "he said no-body isn ' t"),
        ("one<br />two<br/>three", "one two<br/>three"),
        ("a;b:c/d", "a b c/d"),
        ("...", ". . ."),
        ('<b"r />', ""),
        ("<br;/>", "<br />"),
        (" \n ", ""),
    ],
)
def test_known_answers(text: str, tokens: str) -> None:
    assert basic_english(text) == tokens.split()


@given(st.text(st.sampled_from("aİΣ ß'.\n\xa0é電")))
def test_tokens_stand_where_they_are_said_to(text: str) -> None:
    tokens, spans = located(text)
    assert tokens == literal(text)
    assert [text[start:end].lower() for start, end in spans] == tokens or "Σ" in text or "İ" in text
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(start < end for start, end in spans)


def test_line_breaks_of_every_kind_are_one() -> None:
    assert cleaned("a<br />b<BR />c\r\nd\re\nf") == "a\nb\nc\nd\ne\nf"
    assert cleaned("a <br> b") == "a <br> b", "basic_english knows this as a word, too"


def test_half_characters_are_replaced() -> None:
    assert cleaned("fun \ud83d film") == "fun ? film"


def test_a_text_is_read_without_its_mark_of_byte_order(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("“Größe” 电影 😀\n".encode("utf-8-sig"))
    assert read_text(tmp_path / "a.txt") == "“Größe” 电影 😀\n"


def test_what_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"b\.txt' cannot be read"):
        read_text(tmp_path / "b.txt")


@pytest.mark.parametrize(
    ("before", "behind", "part"),
    [
        (False, False, "A (long) film."),
        (True, False, "… long) film."),
        (False, True, "A (long) film …"),
    ],
)
def test_a_cut_is_marked_where_it_is(before: bool, behind: bool, part: str) -> None:
    text, spans = read_part("A (long) film.", [(3, 7), (9, 13)], before, behind)
    assert text == part
    assert [text[start:end] for start, end in spans] == ["long", "film"]
