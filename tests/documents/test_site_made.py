"""What is made for the site by scripts is what they make, and nothing is left over."""

from __future__ import annotations

import re
from typing import Any

import pytest

from docs.site import gallery, methods
from docs.site.learnt import EDGE, boxes_of, squares
from input_iba.registry import BASELINES
from tests.documents.printed import ROOT, read

IMAGES = ROOT / "docs" / "images"


def rows_of(name: str) -> list[list[str]]:
    """Return the cells of a table of methods.md, the head first."""
    text = read("docs/methods.md").partition(f"<!-- {name} -->\n")[2].partition("<!-- end -->")[0]
    lines = [line.strip("| ").split(" | ") for line in text.strip().splitlines()]
    return [lines[0], *lines[2:]]


def test_the_table_of_ranks_is_that_of_the_results() -> None:
    assert rows_of("standing") == list(methods.standing())


def test_the_table_of_facts_has_every_method() -> None:
    head, *rows = rows_of("facts")
    found = {row[0].strip("`"): dict(zip(head, row, strict=True)) for row in rows}
    assert set(found) == {"input_iba", "instant", *BASELINES.module_dict}
    for name, method in BASELINES.module_dict.items():
        assert found[name]["what it shows"] == method.__doc__.splitlines()[0]
        assert found[name]["explains"] == methods.kinds(method)
        assert found[name]["needs"] == methods.needs(method)


@pytest.mark.parametrize(
    ("name", "forward", "backward"),
    [("gradient", "2", "1"), ("smooth_grad", "51", "50"), ("score_cam", "one a channel", "0")],
)
def test_passes_are_counted(name: str, forward: str, backward: str) -> None:
    assert methods.cost(name) == (forward, backward)
    [row] = [row for row in rows_of("facts") if row[0] == f"`{name}`"]
    assert row[3:5] == [forward, backward]


def test_the_places_are_those_of_the_mean_ranks() -> None:
    rows = {"a": {"mean rank of 2 cells": "**1.5**"}, "b": {"mean rank of 2 cells": "1.5"}}
    rows["c"] = {"mean rank of 2 cells": "3.0", "insertion ↑": "**0.9**"}
    assert [methods.place(name, rows) for name in "abcd"] == ["1", "1", "3", "–"]
    assert methods.leads(rows["c"]) == ["insertion"]
    assert methods.leads(rows["a"]) == []


def test_every_picture_is_drawn_and_shown() -> None:
    drawn = {f"{name}.jpg" for name in gallery.PICTURES}
    assert {path.name for path in IMAGES.glob("*.jpg")} == drawn
    shown = set(re.findall(r"images/(\w+\.jpg)", read("docs/gallery.md") + read("docs/index.md")))
    assert shown >= drawn


def test_squares_lie_where_their_boxes_say() -> None:
    images, _, corners = squares(20, 0, each=2)
    for image, boxes in zip(images, boxes_of(corners).int().tolist(), strict=True):
        for left, top, right, bottom in boxes:
            assert (right - left, bottom - top) == (EDGE, EDGE)
            assert image[:, top:bottom, left:right].abs().min() == 1
            assert image[:, top:bottom, left:right].flatten(1).std(1).max() == 0


def test_settings_are_described_by_their_help() -> None:
    griffe = pytest.importorskip("griffe", reason="extra docs")
    read_with = griffe.load_extensions({str(ROOT / "docs/site/docstrings.py"): {}})
    setting = "input_iba.attribution.methods.perturbation.Rise.cells"
    cells: Any = griffe.load(setting, extensions=read_with)
    assert (cells.docstring.value, cells.value) == ("Cells of a coarse mask per side.", "7")


def test_examples_of_docstrings_become_code() -> None:
    pytest.importorskip("griffe", reason="extra docs")
    from docs.site.docstrings import Docstrings

    class Documented:
        class docstring:  # noqa: N801
            value = "Add.\n\n>>> 1 + 1\n2\n\nMore."

    Docstrings().on_object(obj=Documented)  # type: ignore[arg-type]
    assert Documented.docstring.value == "Add.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nMore."
