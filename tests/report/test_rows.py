"""The table at the end of a run."""

from __future__ import annotations

from input_iba.drawing import percent
from input_iba.drawing.words import printable
from input_iba.report.model import Row
from input_iba.report.rows import format_table


def test_columns_line_up() -> None:
    rows = [
        Row("a", "tabby", 0.5, seconds={"x": 1.0, "y": 2.5}, files={"input_mask": "m/a.npz"}),
        Row("long name", "猫", 0.999, seconds={"x": 100.0}, files={"input_mask": "m/l.npz"}),
        Row("c", failure="broken\nfile"),
    ]
    assert format_table(rows).splitlines() == [
        "sample     class  probability  seconds  files",
        "a          tabby         50 %      3.5  m/a.npz",
        "long name  猫          99.9 %    100.0  m/l.npz",
        "c          –                –        –  failed: broken\\nfile",
    ]


def test_very_long_names_are_cut() -> None:
    line = format_table([Row("x" * 100, "c", 1.0, files={"input_mask": "m"})]).splitlines()[1]
    assert line.startswith("x" * 31 + "…  c")


def test_no_rows_still_show_the_columns() -> None:
    assert format_table([]).startswith("sample")


def test_a_probability_never_claims_more_than_it_is() -> None:
    assert [percent(p) for p in (0.9996, 0.0, 0.00001, 0.5)] == [
        "> 99.9 %",
        "0 %",
        "< 0.1 %",
        "50 %",
    ]


def test_undecodable_names_can_be_printed() -> None:
    assert printable("caf\udce9\x1b[31m").encode() == rb"caf\udce9\x1b[31m"
