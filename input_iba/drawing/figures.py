"""Figures: curves of what was measured, with how sure they are; and grids of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from input_iba.drawing.heat_map import Pixels
from input_iba.drawing.words import printable_lines
from input_iba.errors import ConfigError, closest

if TYPE_CHECKING:  # where nothing is drawn, half a second of imports is not needed
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SURE = 1.96
"""Standard errors on either side of a mean that hold it with 95 % where it is nearly normal."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Told apart by people with any colour vision (Okabe and Ito 2008), dark enough for lines."""

STYLES = ("-", "--", ":")
"""Of lines beyond the colours."""

FORMATS = ("png", "pdf", "svg", "jpg")
"""What figures can be written as, by the ending of their name."""

STYLE: Any = {
    "pdf.fonttype": 42,  # text stays text, in PDF and in SVG
    "svg.fonttype": "none",
    "svg.hashsalt": "input_iba",  # the same figure gives the same file
}


@dataclass(frozen=True)
class Line:
    """One line of a chart: T points, and half the width of a band around `y`, or None for none."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    margin: Sequence[float] | None = None


@dataclass(frozen=True)
class Chart:
    """Lines in the order in which they are drawn, with what their axes mean."""

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    log_x: bool = False


def mean_line(label: str, x: Sequence[float], values: Sequence[Sequence[float]]) -> Line:
    """Average curves (n, T) of n ≥ 1 samples, with 1.96 standard errors as margin.

    >>> mean_line("a", [0, 1], [[0.0, 1.0], [1.0, 1.0]]).y
    [0.5, 1.0]
    """
    array = np.asarray(values, dtype=np.float64)
    margin = None
    if len(array) > 1:
        margin = (SURE * array.std(axis=0, ddof=1) / np.sqrt(len(array))).tolist()
    return Line(label, list(x), array.mean(axis=0).tolist(), margin)


def share_line(label: str, values: Sequence[float]) -> Line:
    """Show which share of the samples reaches a value, for every value.

    >>> line = share_line("a", [0.25, 0.75])
    >>> line.x, line.y
    ([0.25, 0.75], [1.0, 0.5])
    """
    ordered = sorted(values)
    return Line(label, ordered, [1 - i / len(ordered) for i in range(len(ordered))])


def _draw_lines(axis: Axes, chart: Chart) -> None:
    """Draw the lines of a chart, their bands, and what the axes mean."""
    for i, line in enumerate(chart.lines):
        colour = COLOURS[i % len(COLOURS)]
        axis.plot(
            line.x,
            line.y,
            label=printable_lines(line.label),
            color=colour,
            linestyle=STYLES[i // len(COLOURS) % len(STYLES)],
            marker="o" if len(line.x) < 20 else "",
            markersize=3,
        )
        if line.margin is not None:
            y, margin = np.asarray(line.y), np.asarray(line.margin)
            axis.fill_between(line.x, y - margin, y + margin, alpha=0.2, color=colour, linewidth=0)
    axis.set(xlabel=chart.x_label, ylabel=chart.y_label)
    axis.set_title(chart.title, fontsize=10)
    if chart.log_x:
        axis.set_xscale("log")
    axis.grid(alpha=0.3)


def _charts_drawn(charts: Sequence[Chart], size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure of a width and height in inches with charts side by side, and their axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes: list[Axes] = list(figure.subplots(1, len(charts), squeeze=False)[0])
    for axis, chart in zip(axes, charts, strict=True):
        _draw_lines(axis, chart)
    return figure, axes


def write_charts(path: Path, charts: Sequence[Chart], title: str = "") -> None:
    """Draw charts side by side as PNG, whatever the path's extension, each with its own legend."""
    figure, axes = _charts_drawn(charts, (7 * len(charts), 5))
    for axis, chart in zip(axes, charts, strict=True):
        banded = any(line.margin is not None for line in chart.lines)
        bands = "bands: ± 1.96 standard errors" if banded else None
        axis.legend(title=bands, title_fontsize="small")
    if title:
        figure.suptitle(title, fontsize=12)
    figure.savefig(path, dpi=120, format="png")


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


def write_panels(path: Path, title: str, charts: Sequence[Chart], format_: str, bands: str) -> None:
    """Draw charts, whose lines are of the same methods, side by side, with one legend for all.

    `format_` is one of `FORMATS`, and `bands` says what the bands around the lines are.
    """
    figure, axes = _charts_drawn(charts, (5.2 * len(charts), 4.6))
    figure.suptitle(title, fontsize=12)
    handles, labels = axes[0].get_legend_handles_labels()
    columns = min(len(labels), 3 * len(charts))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, title=bands)
    _save(figure, path, format_, 150)


@dataclass(frozen=True)
class GridRow:
    """One line of a grid: what stands above its first image, its images, and notes above them.

    An image is (H, W, 3), uint8, or None where a column has none.
    """

    title: str
    cells: Sequence[Pixels | None]
    notes: Sequence[str] = ()


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
    from matplotlib.figure import Figure

    size = (inches * len(head), (inches + 0.3) * len(rows))
    figure = Figure(figsize=size, layout="constrained")
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


def _save(figure: Figure, path: Path, format_: str, dots_per_inch: int) -> None:
    from matplotlib import rc_context

    stamp = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    with rc_context(STYLE):
        figure.savefig(path, dpi=dots_per_inch, format=format_, metadata=stamp.get(format_))
