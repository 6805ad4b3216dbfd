"""Choosing samples by name, and stacking them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from input_iba.datasets import select_ids, stack_inputs
from input_iba.errors import DataError
from input_iba.records import Sample

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


def sample(name: str, height: int = 4) -> Sample:
    return Sample(name, torch.full((3, height, 5), 1.0), torch.zeros(3, height, 5))


def test_stacking() -> None:
    assert stack_inputs([sample("a"), sample("b")]).shape == (2, 3, 4, 5)
    with pytest.raises(DataError, match=r"'a' and \(3, 6, 5\) for 'b'.*Resize"):
        stack_inputs([sample("a"), sample("b", 6)])
    with pytest.raises(DataError, match="no samples"):
        stack_inputs([])
