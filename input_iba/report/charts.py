"""Curves as SVG in the page, so that they follow its colours and stay sharp."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from input_iba.drawing import Chart, Line
from input_iba.drawing.pages import render

WIDTH, HEIGHT = 300, 170
LEFT, RIGHT, TOP, BOTTOM = 36, 8, 8, 22
"""Units of the drawing, and its margins for the numbers on the axes."""

MAX_POINTS = 60
"""Points that are drawn of a line; a card is a thumb wide."""

COLOURS = 6
"""Colours of lines in `report.css`."""

Ends = tuple[float, float]
"""Lower and upper end of an axis."""


def shared_ends(charts: Iterable[Chart]) -> Ends:
    """Return the ends of a vertical axis on which charts can be compared."""
    values = [y for chart in charts for line in chart.lines for y in line.y] or [1.0]
    return _rounded_out(min(0.0, *values), max(values))


def chart_figure(chart: Chart, ends: Ends | None = None) -> Markup:
    """Return a chart with its legend as HTML.

    Args:
        chart: Lines with at least one point between them.
        ends: Of the vertical axis; None for those that the chart needs.
    """
    lines = [_thinned(line) for line in chart.lines if line.x]
    low, high = ends or shared_ends([chart])
    across = [math.log10(x) if chart.log_x else x for line in lines for x in line.x]
    left, right = min(across), max(across)
    right = right if right > left else left + 1

    def x(value: float) -> str:
        value = math.log10(value) if chart.log_x else value
        return f"{LEFT + (value - left) / (right - left) * (WIDTH - LEFT - RIGHT):.0f}"

    def y(value: float) -> str:
        share = (min(max(value, low), high) - low) / (high - low)
        return f"{HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM):.1f}".removesuffix(".0")

    def points(xs: Iterable[float], ys: Iterable[float]) -> str:
        return " ".join(f"{x(a)},{y(b)}" for a, b in zip(xs, ys, strict=True))

    def band(line: Line) -> str:
        if line.margin is None:
            return ""
        pairs = list(zip(line.y, line.margin, strict=True))
        lower = [b - c for b, c in reversed(pairs)]
        return points([*line.x, *reversed(line.x)], [*(b + c for b, c in pairs), *lower])

    numbers = ticks(left, right)
    numbers = [10**n for n in numbers if n == int(n)] if chart.log_x else numbers
    return render(
        "chart.html.j2",
        "input_iba.report",
        chart=chart,
        lines=[(line.label, points(line.x, line.y), band(line)) for line in lines],
        levels=[(y(n), f"{n:g}") for n in ticks(low, high)],
        places=[(x(n), f"{n:g}") for n in numbers],
        told=[_in_words(line) for line in lines],
        banded=any(line.margin for line in lines),
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        colours=COLOURS,
    )


def loss_charts(losses: Mapping[str, Sequence[float | None]]) -> Markup:
    """Return one chart per stage.

    Args:
        losses: Loss history per `stage/part`; None where a value was not finite.
    """
    stages: dict[str, list[Line]] = {}
    for name, values in losses.items():
        stage, _, part = name.rpartition("/")
        points = [(float(i), value) for i, value in enumerate(values, 1) if value is not None]
        if points:
            x, y = zip(*points, strict=True)
            stages.setdefault(stage, []).append(Line(part, list(x), list(y)))
    return Markup("").join(
        chart_figure(Chart(stage.replace("_", " ") or "loss", "step", "loss", lines))
        for stage, lines in stages.items()
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers from low to high.

    >>> ticks(0, 1), ticks(0.2, 6.5)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [2.0, 4.0, 6.0])
    """
    if not high > low:
        return [low]
    step = _step(low, high, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _step(low: float, high: float, most: int = 5) -> float:
    """Return the distance between at most `most` + 1 round numbers from low to high."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if (high - low) / (m * power) <= most)


def _rounded_out(low: float, high: float) -> Ends:
    """Return the ends of an axis: round numbers that hold all values between them."""
    if not high > low:
        return low, low + 1
    step = _step(low, high)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def _thinned(line: Line) -> Line:
    """Keep at most `MAX_POINTS` points, the first and the last among them."""
    n = len(line.x)
    if n <= MAX_POINTS:
        return line
    kept = sorted({round(i * (n - 1) / (MAX_POINTS - 1)) for i in range(MAX_POINTS)})
    margin = None if line.margin is None else [line.margin[i] for i in kept]
    return Line(line.label, [line.x[i] for i in kept], [line.y[i] for i in kept], margin)


def _in_words(line: Line) -> str:
    """Return where a line begins and ends, for those who cannot see it."""
    begin, end = (f"{line.y[i]:.3g} at {line.x[i]:.3g}" for i in (0, -1))
    return f"{line.label} goes from {begin} to {end}"
