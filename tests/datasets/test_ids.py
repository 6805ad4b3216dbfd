"""Ids are short where they can be, and never equal."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.datasets.ids import unique_ids


@pytest.mark.parametrize(
    ("files", "ids"),
    [
        ([("a", "1.png"), ("b", "2.png")], ["1", "2"]),
        # All of a clash get the longer name, not just the later ones.
        ([("a", "1.png"), ("b", "1.png"), ("b", "2.png")], ["a__1", "b__1", "2"]),
        ([("a", "1.jpg"), ("a", "1.png")], ["a__1_jpg", "a__1_png"]),
        ([(None, "1.jpg"), (None, "1.png")], ["1_jpg", "1_png"]),
        # A stem that looks like the longer name of another sample.
        (
            [("a", "1.png"), ("b", "1.png"), ("c", "a__1.png")],
            ["a__1_png", "b__1", "c__a__1"],
        ),
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
