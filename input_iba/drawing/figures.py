"""Figures for papers and pages: a grid of images, and panels of curves of several methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from input_iba.drawing.curves import Chart, charts_drawn
from input_iba.drawing.heat_map import Pixels
from input_iba.drawing.words import printable_lines
from input_iba.errors import ConfigError, closest

FORMATS = ("png", "pdf", "svg", "jpg")
"""What figures can be written as, by the ending of their name."""

STYLE: Any = {
    "pdf.fonttype": 42,  # text stays text, in PDF and in SVG
    "svg.fonttype": "none",
    "svg.hashsalt": "input_iba",  # the same figure gives the same file
}


@dataclass(frozen=True)
class GridRow:
    """One line of a grid.

    Attributes:
        title: Stands above its first image.
        cells: (H, W, 3), uint8, or None where a column has none.
        notes: One for each cell, stands above it; empty for none.
    """

    title: str
    cells: Sequence[Pixels | None]
    notes: Sequence[str] = ()


def figure_format(path: Path) -> str:
    """Return the format that a file's ending names.

    Raises:
        ConfigError: Figures are not written in this format.
    """
    ending = path.suffix.lower().lstrip(".").replace("jpeg", "jpg")
    if ending not in FORMATS:
        raise ConfigError(
            f"A figure cannot be written as '{path}'.{closest(ending, FORMATS)} Endings: "
            f"{', '.join(f'.{name}' for name in FORMATS)}."
        )
    return ending


def write_grid(
    path: Path,
    head: Sequence[str],
    rows: Sequence[GridRow],
    format_: str,
    inches: float = 2.0,
    dots_per_inch: int = 110,
) -> None:
    """Draw images line by line.

    Args:
        path: The file.
        head: Titles of the columns; the first is replaced by that of each line.
        rows: At least one, with as many cells as there are columns.
        format_: One of `FORMATS`.
        inches: Height and width of one image.
        dots_per_inch: Resolution of a figure of pixels.
    """
    size = (inches * len(head), (inches + 0.3) * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), len(head), squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        notes = [*row.notes, *[""] * (len(head) - len(row.notes))]
        for axis, cell, note in zip(line, row.cells, notes, strict=True):
            axis.set_axis_off()
            axis.set_title(printable_lines(note), fontsize=8, parse_math=False)
            if cell is not None:
                axis.imshow(cell)
        title = printable_lines(row.title)
        line[0].set_title(title, loc="left", fontsize=9, parse_math=False)
    for axis, column in zip(axes[0][1:], map(printable_lines, head[1:]), strict=True):
        above = axis.get_title()
        axis.set_title(f"{column}\n{above}" if above else column, fontsize=9, parse_math=False)
    _save(figure, path, format_, dots_per_inch)


def write_panels(path: Path, title: str, charts: Sequence[Chart], format_: str, bands: str) -> None:
    """Draw charts side by side, with one legend for all.

    Args:
        path: The file.
        title: Stands above all.
        charts: At least one; their lines are of the same methods.
        format_: One of `FORMATS`.
        bands: What the bands around the lines are.
    """
    figure, axes = charts_drawn(charts, (5.2 * len(charts), 4.6))
    figure.suptitle(title, fontsize=12)
    handles, labels = axes[0].get_legend_handles_labels()
    columns = min(len(labels), 3 * len(charts))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, title=bands)
    _save(figure, path, format_, 150)


def _save(figure: Figure, path: Path, format_: str, dots_per_inch: int) -> None:
    stamp = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    with rc_context(STYLE):
        figure.savefig(path, dpi=dots_per_inch, format=format_, metadata=stamp.get(format_))
