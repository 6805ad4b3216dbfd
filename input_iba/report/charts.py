"""Curves as SVG in the page, so that they follow its colours and stay sharp."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from input_iba.drawing import Chart, Line
from input_iba.drawing.pages import render

WIDTH, HEIGHT = 300, 170
LEFT, RIGHT, TOP, BOTTOM = 36, 8, 8, 22
"""Units of the drawing, and its margins for the numbers on the axes."""

MAX_POINTS = 60
"""Points that are drawn of a line; a card is a thumb wide."""

COLOURS = 6
"""Colours of lines in `report.css`."""

ROUND = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
"""Finds round numbers for an axis."""

Ends = tuple[float, float]
"""Lower and upper end of an axis."""


def shared_ends(charts: Iterable[Chart]) -> Ends:
    """Return the ends of a vertical axis on which charts can be compared."""
    values = [y for chart in charts for line in chart.lines for y in line.y] or [1.0]
    low, high = min(0.0, *values), max(values)
    if not high > low:
        return low, low + 1
    round_numbers = ROUND.tick_values(low, high)
    return float(round_numbers[0]), float(round_numbers[-1])


def chart_figure(chart: Chart, ends: Ends | None = None) -> Markup:
    """Return a chart of at least one point as HTML; without `ends` its y-axis has its own."""
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
    """Return one chart per stage of losses by `stage/part`, None where they are not finite."""
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


def ticks(low: float, high: float) -> list[float]:
    """Return round numbers from low to high.

    >>> ticks(0, 1), ticks(0.2, 6.5)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [2.0, 4.0, 6.0])
    """
    if not high > low:
        return [low]
    inside = 1e-9 * (high - low)
    found = (round(float(n), 12) for n in ROUND.tick_values(low, high))
    return [n for n in found if low - inside <= n <= high + inside]


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
