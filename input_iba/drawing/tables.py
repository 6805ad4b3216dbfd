"""A table of texts, as Markdown, as HTML, and for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from input_iba.drawing.rows import printable


@dataclass(frozen=True)
class Grid:
    """A table of texts.

    Attributes:
        title: Stands above.
        head: Names of the columns; the first holds names, the others numbers.
        rows: As many cells each as `head` has.
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


def as_html(grid: Grid) -> str:
    """Return a section with heading, table and note."""
    note = f"<p>{html_text(grid.note)}</p>" if grid.note else ""
    return f"<section><h2>{html_text(grid.title)}</h2>{as_table(grid)}{note}</section>"


def as_table(grid: Grid) -> str:
    """Return the table alone, which scrolls where it is too wide."""
    head = "".join(f'<th scope="col">{html_text(name)}</th>' for name in grid.head)
    rows = []
    for i, row in enumerate(grid.rows):
        cells = [f'<th scope="row">{html_text(row[0])}</th>']
        for j, cell in enumerate(row[1:], 1):
            mark = ' class="best"' if (i, j) in grid.best else ""
            cells.append(f"<td{mark}>{html_text(cell)}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    about = html_text(grid.title)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{about}, table">{table}</div>'
    )


def html_text(text: str) -> str:
    """Return text that means nothing to HTML."""
    return escape(printable(text))


def as_plain(grid: Grid) -> str:
    """Lay the table out in columns of a terminal."""
    cells = [list(map(printable, row)) for row in (grid.head, *grid.rows)]
    widths = [max(len(row[j]) for row in cells) for j in range(len(grid.head))]
    lines = [
        "  ".join(
            cell.rjust(width) if j else cell.ljust(width)
            for j, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join(
        [printable(grid.title), *lines, *([printable(grid.note)] if grid.note else [])]
    )
