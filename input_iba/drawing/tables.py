"""Tables of texts, as Markdown and for a terminal; pages have them by `parts.html.j2`."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import starmap

from input_iba.drawing.words import printable

UNKNOWN = "–"
"""Stands where there is no number."""


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Attributes:
        head: Names of the columns; the first holds names, the others numbers.
        best: Row and column of cells that stand out.
        note: Stands below.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    best: frozenset[tuple[int, int]] = frozenset()
    note: str = ""


def as_markdown(grid: Grid) -> str:
    r"""Return a section with a table.

    >>> print(as_markdown(Grid("T", ["a", "b"], [["x|y", "1"]])))
    ## T
    <BLANKLINE>
    | a | b |
    | :-- | --: |
    | x\|y | 1 |
    """
    lines = [f"## {markdown_text(grid.title)}", "", _line(map(markdown_text, grid.head))]
    lines.append(_line([":--", *["--:"] * (len(grid.head) - 1)]))
    for i, row in enumerate(grid.rows):
        cells = [markdown_text(cell) for cell in row]
        lines.append(
            _line(f"**{cell}**" if (i, j) in grid.best else cell for j, cell in enumerate(cells))
        )
    if grid.note:
        lines += ["", markdown_text(grid.note)]
    return "\n".join(lines)


def markdown_text(text: str) -> str:
    """Return text that means nothing to Markdown, nor to the HTML that it may hold."""
    plain = escape(printable(text), quote=False)
    return "".join(f"\\{c}" if c in "\\|*_`[]" else c for c in plain)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_plain(grid: Grid) -> str:
    """Return a title, a table and a note for a terminal."""
    table = lay_out([grid.head, *grid.rows], right=range(1, len(grid.head)))
    return "\n".join([printable(grid.title), table, *filter(None, [printable(grid.note)])])


def lay_out(rows: Sequence[Sequence[str]], right: Collection[int]) -> str:
    """Return rows in columns of a terminal; those that `right` names stand on the right.

    >>> print(lay_out([["name", "n"], ["猫", "10"]], right=[1]))
    name   n
    猫    10
    """
    cells = [list(map(printable, row)) for row in rows]
    widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]

    def padded(i: int, cell: str) -> str:
        space = " " * (widths[i] - width_of(cell))
        return space + cell if i in right else cell + space

    return "\n".join("  ".join(starmap(padded, enumerate(row))).rstrip() for row in cells)


def width_of(text: str) -> int:
    r"""Return the columns that a text takes in a terminal: two for a wide letter, none for marks.

    >>> width_of("é猫"), width_of("e\N{COMBINING ACUTE ACCENT}")
    (3, 1)
    """
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def interval(low: float | None, high: float | None, sign: str = "") -> str:
    """Return an interval for reading.

    >>> interval(0.25, 0.5), interval(-0.25, 0.5, "+"), interval(None, None)
    ('0.2500 to 0.5000', '-0.2500 to +0.5000', '–')
    """
    if low is None or high is None:
        return UNKNOWN
    return f"{low:{sign}.4f} to {high:{sign}.4f}"
