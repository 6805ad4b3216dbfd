"""Curves as SVG in the page, so that they follow its colours and stay sharp."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from input_iba.drawing.curves import Chart, Line
from input_iba.drawing.tables import html_text

WIDTH, HEIGHT = 300, 170
LEFT, RIGHT, TOP, BOTTOM = 36, 8, 8, 22
"""Units of the drawing, and its margins for the numbers on the axes."""

MOST_POINTS = 60
"""Points that are drawn of a line; a card is a thumb wide."""

COLOURS = 6
"""Colours of lines in `report.css`."""


Ends = tuple[float, float]
"""Lower and upper end of an axis."""


def shared_ends(charts: Iterable[Chart]) -> Ends:
    """Return the ends of a vertical axis on which charts can be compared."""
    values = [y for chart in charts for line in chart.lines for y in line.y] or [1.0]
    return _rounded_out(min(0.0, *values), max(values))


def chart_figure(chart: Chart, ends: Ends | None = None) -> str:
    """Return a chart with its legend as HTML.

    Args:
        chart: Lines with at least one point between them.
        ends: Of the vertical axis; None for those that the chart needs.
    """
    lines = [_thinned(line) for line in chart.lines if line.x]
    legend = "".join(
        f'<li><i class="line{i % COLOURS}"></i>{html_text(line.label)}</li>'
        for i, line in enumerate(lines)
    )
    band = " Bands: ± 1.96 standard errors." if any(line.margin for line in lines) else ""
    return (
        f'<figure class="chart">{_drawing(chart, lines, ends or shared_ends([chart]))}'
        f"<figcaption><b>{html_text(chart.title)}</b>"
        f'<span class="axes">{html_text(chart.y_label)} over {html_text(chart.x_label)}.{band}'
        f"</span><ul>{legend}</ul></figcaption></figure>"
    )


def loss_charts(losses: Mapping[str, Sequence[float | None]]) -> str:
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
    return "".join(
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
    """Return the distance of at most `most` round numbers more than one from low to high."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if (high - low) / (m * power) <= most)


def _rounded_out(low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis: round numbers that hold all values between them."""
    if not high > low:
        return low, low + 1
    step = _step(low, high)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def _thinned(line: Line) -> Line:
    """Keep at most `MOST_POINTS` points, the first and the last among them."""
    n = len(line.x)
    if n <= MOST_POINTS:
        return line
    kept = sorted({round(i * (n - 1) / (MOST_POINTS - 1)) for i in range(MOST_POINTS)})
    margin = None if line.margin is None else [line.margin[i] for i in kept]
    return Line(line.label, [line.x[i] for i in kept], [line.y[i] for i in kept], margin)


def _drawing(chart: Chart, lines: Sequence[Line], ends: Ends) -> str:
    across = [math.log10(x) if chart.log_x else x for line in lines for x in line.x]
    low, high = ends
    left, right = min(across), max(across)
    right = right if right > left else left + 1

    def x(value: float) -> str:
        value = math.log10(value) if chart.log_x else value
        return f"{LEFT + (value - left) / (right - left) * (WIDTH - LEFT - RIGHT):.0f}"

    def y(value: float) -> str:
        share = (min(max(value, low), high) - low) / (high - low)
        return f"{HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM):.1f}".removesuffix(".0")

    numbers = ticks(left, right)
    numbers = [10**n for n in numbers if n == int(n)] if chart.log_x else numbers
    grid = "".join(
        f'<path d="M{LEFT} {y(n)}H{WIDTH - RIGHT}"/><text x="{LEFT - 5}" y="{y(n)}" dy=".32em" '
        f'text-anchor="end">{n:g}</text>'
        for n in ticks(low, high)
    ) + "".join(
        f'<text x="{x(n)}" y="{HEIGHT - 8}" text-anchor="middle">{n:g}</text>' for n in numbers
    )
    drawn = []
    for i, line in enumerate(lines):
        points = " ".join(f"{x(a)},{y(b)}" for a, b in zip(line.x, line.y, strict=True))
        if line.margin is not None:
            edges = list(zip(line.x, line.y, line.margin, strict=True))
            band = [f"{x(a)},{y(b + c)}" for a, b, c in edges]
            band += [f"{x(a)},{y(b - c)}" for a, b, c in reversed(edges)]
            drawn.append(f'<polygon class="line{i % COLOURS}" points="{" ".join(band)}"/>')
        drawn.append(f'<polyline class="line{i % COLOURS}" points="{points}"/>')
    said = html_text(f"{chart.title}: {'; '.join(map(_in_words, lines))}")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">'
        f"<g>{grid}</g>{''.join(drawn)}</svg>"
    )


def _in_words(line: Line) -> str:
    """Say where a line begins and ends, for those who cannot see it."""
    begin, end = (f"{line.y[i]:.3g} at {line.x[i]:.3g}" for i in (0, -1))
    return f"{line.label} goes from {begin} to {end}"
