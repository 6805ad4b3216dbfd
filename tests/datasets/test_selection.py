"""Choosing samples by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from input_iba.datasets import select_ids
from input_iba.errors import DataError

IDS = ["img_1", "img_2", "cat__3", "dog__3", "v1.5"]


def chosen(tmp_path: Path, text: str, name: str = "subset.txt") -> list[str]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return select_ids(IDS, tmp_path / name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("img_2\nimg_1\n", ["img_1", "img_2"]),
        ("# mine\n\n  img_2.JPEG  # a cat\n", ["img_2"]),
        ("images/cat__3.png\r\nv1.5\r\n", ["cat__3", "v1.5"]),
        ("\ufeffimg_1\nimg_1", ["img_1"]),
        ('["dog__3", "img_1"]', ["img_1", "dog__3"]),
    ],
)
def test_selection(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert chosen(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("img_3\nimg_9", r"'img_3' \(and 1 more.*Closest: 'img_"),
        ("3.png", "Closest: 'cat__3', 'dog__3'"),
        ("# nothing\n", "names no samples"),
        ("[1, 2]", "JSON list of names"),
        ("[", "no valid JSON"),
    ],
)
def test_what_errors_say(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        chosen(tmp_path, text)
    with pytest.raises(DataError, match="cannot be read"):
        select_ids(IDS, tmp_path / "none.txt")
