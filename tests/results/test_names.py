"""File names of ids: valid, and never the same for two ids."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.results import file_names, safe_name


@pytest.mark.parametrize(
    "id_", ["n01440764_10026", "cat__0001", "Straße 7", "猫", "a-b (1)", "v1.2"]
)
def test_ordinary_ids_keep_their_name(id_: str) -> None:
    assert safe_name(id_) == id_


@pytest.mark.parametrize(
    "id_",
    [
        *(
            "../../etc/passwd",
            "a/b",
            "a\\b",
            "a:b",
            ".hidden",
            "end.",
            " ",
            "",
            "..",
            "con",
            "NUL.x",
        ),
        *("new\nline", "tab\t", "nul\0", "caf\udce9", "x" * 5000, "猫" * 300, "a?b#c%d", '<b>"&'),
    ],
)
def test_odd_ids_become_one_valid_file(id_: str, tmp_path: Path) -> None:
    name = safe_name(id_)
    path = tmp_path / f"{name}.overlay.JPEG"
    path.write_text("x")
    assert list(tmp_path.iterdir()) == [path]
    assert not name.startswith(".")
    assert name.split(".")[0].lower() not in {"con", "nul"}


@given(st.lists(st.text(max_size=12), unique=True, max_size=20))
def test_no_two_ids_share_a_file_on_any_file_system(ids: list[str]) -> None:
    names = file_names(ids)
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in names.values()}
    assert len(folded) == len(ids)
    assert all("/" not in name and name for name in names.values())


def test_percent_signs_do_not_fake_an_encoding() -> None:
    assert safe_name("a/b") != safe_name("a%2Fb")


def test_long_ids_that_differ_at_the_end_keep_different_names() -> None:
    names = file_names(["x" * 300 + "a", "x" * 300 + "b"])
    assert len(set(names.values())) == 2
