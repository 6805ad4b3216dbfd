"""The table that a run prints at its end."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from input_iba.drawing.rows import Row, percent, printable

HEAD = ("sample", "class", "probability", "seconds", "files")
WIDEST = 32
"""Columns of a terminal that a name may take."""


def format_table(rows: Sequence[Row]) -> str:
    """Lay rows out in columns.

    >>> print(format_table([Row("cat", "tabby", 0.9, seconds={"a": 1.0},
    ...                         files={"input_mask": "input_masks/cat.npz"})]))
    sample  class  probability  seconds  files
    cat     tabby         90 %      1.0  input_masks/cat.npz
    """
    cells = [HEAD, *(_cells(row) for row in rows)]
    # The last column is not padded, so it needs no width.
    widths = [max(_width(row[i]) for row in cells) for i in range(len(HEAD) - 1)]
    return "\n".join(_line(row, widths) for row in cells)


def _cells(row: Row) -> tuple[str, ...]:
    name = _short(printable(row.id))
    if row.failure:
        return name, "–", "–", "–", f"failed: {printable(row.failure)}"
    return (
        name,
        _short(printable(row.class_name)),
        percent(row.probability),
        f"{row.total_seconds:.1f}",
        row.files.get("input_mask", ""),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for i, (cell, width) in enumerate(zip(cells, widths, strict=False)):
        space = " " * (width - _width(cell))
        padded.append(space + cell if i in {2, 3} else cell + space)
    return "  ".join([*padded, cells[-1]])


def _width(text: str) -> int:
    """Columns that a text takes in a terminal: two for wide characters."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _short(text: str) -> str:
    while _width(text) > WIDEST:
        text = f"{text.removesuffix('…')[:-1]}…"
    return text
