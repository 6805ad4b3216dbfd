"""Text in files: what is taken out before anyone reads it, and the part that is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from input_iba.datasets.tokens import cleaned, read_part, read_text
from input_iba.errors import DataError


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
