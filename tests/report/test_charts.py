"""Curves as SVG."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.drawing import Chart, Line
from input_iba.report.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MAX_POINTS,
    RIGHT,
    TOP,
    WIDTH,
    chart_figure,
    loss_charts,
    shared_ends,
    ticks,
)


def points(html: str) -> list[list[tuple[float, float]]]:
    lines = re.findall(r'<polyline class="line\d" points="([^"]+)"', html)
    return [[tuple(map(float, p.split(","))) for p in line.split()] for line in lines]  # type: ignore[misc]


def test_a_line_goes_from_corner_to_corner() -> None:
    [line] = points(chart_figure(Chart("t", "x", "y", [Line("a", [0, 1], [0.0, 1.0])])))
    assert line == [(LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, TOP)]


def test_charts_to_be_compared_have_the_same_axis() -> None:
    charts = [Chart("t", "x", "y", [Line("a", [0, 1], [0.0, high])]) for high in (1.0, 2.0)]
    ends = shared_ends(charts)
    assert ends == pytest.approx((0, 2))
    heights = [points(chart_figure(chart, ends))[0][-1][1] for chart in charts]
    assert heights == pytest.approx([(TOP + HEIGHT - BOTTOM) / 2, TOP])


def test_a_logarithmic_axis_has_equal_steps() -> None:
    chart = Chart("t", "x", "y", [Line("a", [1, 10, 100], [0, 1, 2])], log_x=True)
    html = chart_figure(chart)
    [[(a, _), (b, _), (c, _)]] = points(html)
    assert b - a == pytest.approx(c - b, abs=1)
    assert ">10<" in html


def test_bands_are_cut_at_the_edges() -> None:
    html = chart_figure(Chart("t", "x", "y", [Line("a", [0, 1], [0.5, 1.0], [9.0, 9.0])]))
    [band] = re.findall(r'<polygon class="line0" points="([^"]+)"', html)
    assert all(TOP <= float(p.split(",")[1]) <= HEIGHT - BOTTOM for p in band.split())
    assert "1.96 standard errors" in html


def test_a_flat_line_and_a_single_point_can_be_drawn() -> None:
    for line in (Line("a", [0, 1], [0.0, 0.0]), Line("a", [3], [2.0]), Line("a", [1, 2], [5, 5])):
        [drawn] = points(chart_figure(Chart("t", "x", "y", [line])))
        assert len(drawn) == len(line.x)


def test_a_long_line_is_thinned_but_keeps_its_ends() -> None:
    n = 5000
    [line] = points(chart_figure(Chart("t", "x", "y", [Line("a", range(n), [0.0] * n)])))
    assert len(line) == MAX_POINTS
    assert (line[0][0], line[-1][0]) == (LEFT, WIDTH - RIGHT)


def test_losses_are_drawn_by_stage_without_what_is_not_finite() -> None:
    html = loss_charts({"a/x": [1.0, None, 3.0], "a/y": [1.0], "b/x": [2.0], "c/x": [None]})
    assert html.count("<figure") == 2
    assert [len(line) for line in points(html)] == [2, 1, 1]


def test_lines_are_told_in_words() -> None:
    html = chart_figure(Chart("areas", "x", "y", [Line("a", [0, 1], [0.25, 0.75])]))
    assert 'aria-label="areas: a goes from 0.25 at 0 to 0.75 at 1"' in html


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_lie_within_and_are_few(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert len(found) <= 6
    slack = 1e-6 * max(abs(low), span)
    assert all(low - slack <= value <= low + span + slack for value in found)
