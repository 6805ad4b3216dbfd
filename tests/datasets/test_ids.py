"""Ids are short where they can be, and never equal; samples are chosen by them."""

from __future__ import annotations

import logging
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.datasets import select_ids
from input_iba.datasets.ids import unique_ids
from input_iba.errors import DataError


@pytest.mark.parametrize(
    ("files", "ids"),
    [
        ([("a", "1.png"), ("b", "2.png")], ["1", "2"]),
        # All of a clash get the longer name, not just the later ones.
        ([("a", "1.png"), ("b", "1.png"), ("b", "2.png")], ["a__1", "b__1", "2"]),
        ([("a", "1.jpg"), ("a", "1.png")], ["a__1_jpg", "a__1_png"]),
        ([(None, "1.jpg"), (None, "1.png")], ["1_jpg", "1_png"]),
        # A stem that looks like the longer name of another sample.
        ([("a", "1.png"), ("b", "1.png"), ("c", "a__1.png")], ["a__1_png", "b__1", "c__a__1"]),
        # Some file systems hold only one of these.
        ([("a", "X.png"), ("b", "x.png")], ["a__X", "b__x"]),
    ],
)
def test_examples(files: list[tuple[str | None, str]], ids: list[str]) -> None:
    assert unique_ids(files) == ids


NAMES = st.text(alphabet="aA1_", min_size=1, max_size=4)


@given(
    st.lists(
        st.tuples(NAMES, st.builds("{}.{}".format, NAMES, st.sampled_from(["png", "jpg", "a_1"]))),
        max_size=12,
        unique=True,
    )
)
def test_ids_never_clash(files: list[tuple[str, str]]) -> None:
    ids = unique_ids(files)
    assert len({name.casefold() for name in ids}) == len(files)
    stems = [PurePath(name).stem.casefold() for _, name in files]
    for (_, name), id_ in zip(files, ids, strict=True):
        if stems.count(PurePath(name).stem.casefold()) > 1:
            assert id_ != PurePath(name).stem


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
    ("text", "expected"),
    [("4\n0 # the first\n", ["img_1", "v1.5"]), ("1\n1", ["img_2"]), ("002", ["cat__3"])],
)
def test_places_in_the_data_set(
    tmp_path: Path, text: str, expected: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert chosen(tmp_path, text) == expected
        assert f"{len(expected)} samples by their places" in caplog.text
        chosen(tmp_path, "img_1")
        assert caplog.text.rstrip().endswith("1 samples by their ids.")


def test_numbers_that_are_ids_are_ids(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "subset.txt"
    path.write_text("1\n2")
    with caplog.at_level(logging.INFO):
        assert select_ids(["2", "0", "1"], path) == ["2", "1"]
    assert "by their ids, which are numbers" in caplog.text
    with pytest.raises(DataError, match="no sample is called '2'"):  # one of them is an id
        select_ids(["7", "1", "9"], path)
    assert select_ids(["7", "8", "9"], path) == ["8", "9"]


def test_names_may_be_no_text(tmp_path: Path) -> None:
    path = tmp_path / "subset.txt"
    path.write_bytes(b"caf\xe9.jpg\n")
    assert select_ids(["tea", "caf\udce9"], path) == ["caf\udce9"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("img_3\nimg_9", r"'img_3' \(and 1 more.*Closest: 'img_"),
        ("3.png", "Closest: 'cat__3', 'dog__3'"),
        ("# nothing\n", "names no samples"),
        ("0\n5", "has no place 5: its 5 samples have the places 0 to 4"),
        ("-1", "no sample is called '-1'"),
        ("[1, 2]", "JSON list of names"),
        ("[", "not valid JSON"),
    ],
)
def test_what_errors_say(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        chosen(tmp_path, text)
    with pytest.raises(DataError, match="cannot be read"):
        select_ids(IDS, tmp_path / "none.txt")
