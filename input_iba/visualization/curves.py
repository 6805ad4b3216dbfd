"""Curves of an evaluation: one line per quantity, with how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SURE = 1.96
"""Standard errors on either side of a mean that hold it with 95 % where it is nearly normal."""


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        label: What it shows.
        x: (T,).
        y: (T,).
        margin: Half the width of a band around `y`, (T,), or None for no band.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    margin: Sequence[float] | None = None


@dataclass(frozen=True)
class Chart:
    """Lines with what their axes mean.

    Attributes:
        title: Stands above.
        x_label: Meaning of the horizontal axis.
        y_label: Meaning of the vertical axis.
        lines: What is drawn, in order.
        log_x: Whether the horizontal axis is logarithmic.
    """

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    log_x: bool = False


def mean_line(label: str, x: Sequence[float], values: Sequence[Sequence[float]]) -> Line:
    """Average curves of n samples, with 1.96 standard errors as margin.

    Args:
        label: What it shows.
        x: (T,).
        values: (n, T), n ≥ 1.

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


def write_chart(path: Path, chart: Chart) -> None:
    """Draw a chart as PNG.

    Args:
        path: Where to write; whatever its extension, it becomes a PNG.
        chart: What to draw.
    """
    figure = Figure(figsize=(7, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for line in chart.lines:
        marker = "o" if len(line.x) < 20 else ""
        [drawn] = axis.plot(line.x, line.y, label=line.label, marker=marker, markersize=3)
        if line.margin is not None:
            y, margin = np.asarray(line.y), np.asarray(line.margin)
            axis.fill_between(line.x, y - margin, y + margin, alpha=0.2, color=drawn.get_color())
    axis.set(xlabel=chart.x_label, ylabel=chart.y_label)
    axis.set_title(chart.title, fontsize=10)
    if chart.log_x:
        axis.set_xscale("log")
    axis.grid(alpha=0.3)
    banded = any(line.margin is not None for line in chart.lines)
    axis.legend(title="bands: ± 1.96 standard errors" if banded else None, title_fontsize="small")
    figure.savefig(path, dpi=120, format="png")
