"""What was measured: tables of means with intervals, curves, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from input_iba.drawing.tables import Grid, as_table, html_text
from input_iba.report.charts import chart_figure, shared_ends
from input_iba.report.markup import bullets, facts_list, link_to, plural, unfolding
from input_iba.report.model import Evaluation
from input_iba.report.nested import flattened

DIRECTIONS = {True: "higher is better", False: "lower is better", None: "–"}

WORDS = {
    "selected": "selected",
    "scored": "scored",
    "tied": "of them with one value in more than half of the map",
    "skipped": "left out by a rule",
    "failed": "failed",
    "not_reached": "not reached",
    "without_map": "without a map",
}
"""What the counts of a result mean."""

MOST_LEFT_OUT = 1000
"""Samples left out that the page lists; the result's file names all."""


def metrics_section(evaluations: Sequence[Evaluation]) -> str:
    """Return one part per metric, its results from different maps together."""
    if not evaluations:
        return ""
    by_metric: dict[str, list[Evaluation]] = {}
    for found in evaluations:
        by_metric.setdefault(found.metric, []).append(found)
    parts = "".join(_part(metric, found) for metric, found in by_metric.items())
    return f'<section id="metrics"><h2>Metrics</h2>{parts}</section>'


def _part(metric: str, evaluations: Sequence[Evaluation]) -> str:
    drawn = [(found.source, found.chart) for found in evaluations if found.chart is not None]
    ends = shared_ends([chart for _, chart in drawn])
    charts = "".join(
        f"<div><h4>{html_text(source)}</h4>{chart_figure(chart, ends)}</div>"
        for source, chart in drawn
    )
    alike: dict[str, list[Evaluation]] = {}
    for found in evaluations:
        alike.setdefault(_state(found), []).append(found)
    states = "".join(_stated(state, found) for state, found in alike.items())
    many = " many" if len(drawn) > 2 else ""
    return (
        f'<section class="panel"><h3>{html_text(metric.replace("_", " "))}</h3>{states}'
        f'<div class="measured{many}">{as_table(_grid(metric, evaluations))}'
        f'<div class="charts">{charts}</div></div>'
        f"{''.join(map(_details, evaluations))}</section>"
    )


def _state(found: Evaluation) -> str:
    """Say how many samples were scored, and what of them was not."""
    counts = ", ".join(
        f"{found.counts[key]:,} {said}" for key, said in WORDS.items() if found.counts.get(key)
    )
    total = plural(found.counts.get("data_set", 0), "sample")
    verdict = f" {html_text(found.verdict)}." if found.verdict else ""
    return f"{counts}, of {total}.{verdict}"


def _stated(state: str, evaluations: Sequence[Evaluation]) -> str:
    """Say how far evaluations got that got equally far."""
    complete = all(found.complete for found in evaluations)
    names = ", ".join(
        f'<a href="{link_to(found.file)}">{html_text(found.source)}</a>' for found in evaluations
    )
    partial = "" if complete else "<strong>Partial.</strong> "
    return f'<p class="state {"good" if complete else "partial"}">{partial}{names}: {state}</p>'


def _grid(metric: str, evaluations: Sequence[Evaluation]) -> Grid:
    rows = [
        [
            found.source,
            key,
            f"{values['mean']:.4f}",
            interval(values),
            f"{values['n']:,}",
            DIRECTIONS[found.higher_is_better.get(key)],
        ]
        for found in evaluations
        for key, values in found.summary.items()
    ]
    return Grid(metric, ["maps", "quantity", "mean", "95 % interval", "n", "direction"], rows)


def interval(values: Mapping[str, Any]) -> str:
    """Return an interval for reading.

    >>> interval({"low": 0.25, "high": 0.5}), interval({"low": None, "high": None})
    ('0.2500 to 0.5000', '–')
    """
    if values["low"] is None or values["high"] is None:
        return "–"
    return f"{values['low']:.4f} to {values['high']:.4f}"


def _details(found: Evaluation) -> str:
    made = facts_list(flattened(found.settings), "pairs")
    content = unfolding(f"How {found.source} was measured", made)
    if found.left_out:
        more = len(found.left_out) - MOST_LEFT_OUT
        items = bullets(
            f"<code>{html_text(id_)}</code> {html_text(why)}"
            for id_, why in list(found.left_out.items())[:MOST_LEFT_OUT]
        ) + (f"<p>and {more:,} more, which the result's file names.</p>" if more > 0 else "")
        content += unfolding(
            f"{plural(len(found.left_out), 'sample')} of {found.source} left out", items
        )
    return content
