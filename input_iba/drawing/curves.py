"""Curves of an evaluation: one line per quantity, with how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from input_iba.drawing.words import printable_lines

SURE = 1.96
"""Standard errors on either side of a mean that hold it with 95 % where it is nearly normal."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Told apart by people with any colour vision (Okabe and Ito 2008), dark enough for lines."""

STYLES = ("-", "--", ":")
"""Of lines beyond the colours."""


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


def draw_lines(axis: Axes, chart: Chart) -> None:
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


def charts_drawn(charts: Sequence[Chart], size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure of a width and height in inches with charts side by side, and their axes."""
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes: list[Axes] = list(figure.subplots(1, len(charts), squeeze=False)[0])
    for axis, chart in zip(axes, charts, strict=True):
        draw_lines(axis, chart)
    return figure, axes


def write_chart(path: Path, chart: Chart) -> None:
    """Draw a chart as PNG, whatever the extension of the path."""
    write_charts(path, [chart])


def write_charts(path: Path, charts: Sequence[Chart]) -> None:
    """Draw charts side by side as one PNG, each with a legend of its own."""
    figure, axes = charts_drawn(charts, (7 * len(charts), 5))
    for axis, chart in zip(axes, charts, strict=True):
        banded = any(line.margin is not None for line in chart.lines)
        bands = "bands: ± 1.96 standard errors" if banded else None
        axis.legend(title=bands, title_fontsize="small")
    figure.savefig(path, dpi=120, format="png")
