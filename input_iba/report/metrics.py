"""What was measured: tables of means with intervals, curves, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from input_iba.drawing import Grid
from input_iba.drawing.tables import UNKNOWN, interval
from input_iba.report.charts import chart_figure, shared_ends
from input_iba.report.model import Evaluation

DIRECTIONS = {True: "higher is better", False: "lower is better", None: UNKNOWN}

COUNTS = {
    "selected": "selected",
    "scored": "scored",
    "tied": "of them with one value in more than half of the map",
    "skipped": "left out by a rule",
    "failed": "failed",
    "not_reached": "not reached",
    "without_map": "without a map",
}
"""What the counts of a result mean."""


def metrics_shown(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return what is shown of each metric, its results from different maps together."""
    by_metric: dict[str, list[Evaluation]] = {}
    for found in evaluations:
        by_metric.setdefault(found.metric, []).append(found)
    return [_metric(name, found) for name, found in by_metric.items()]


def _metric(name: str, evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    drawn = [(found.source, found.chart) for found in evaluations if found.chart is not None]
    ends = shared_ends([chart for _, chart in drawn])
    states: dict[str, list[Evaluation]] = {}  # those that got equally far
    for found in evaluations:
        states.setdefault(_state(found), []).append(found)
    return {
        "name": name,
        "states": states,
        "table": _means(name, evaluations),
        "charts": [(source, chart_figure(chart, ends)) for source, chart in drawn],
        "evaluations": evaluations,
    }


def _state(found: Evaluation) -> str:
    """Return how many samples were scored, and what of them was not."""
    counts = ", ".join(
        f"{found.counts[key]:,} {said}" for key, said in COUNTS.items() if found.counts.get(key)
    )
    verdict = f" {found.verdict}." if found.verdict else ""
    return f"{counts}, of {plural(found.counts.get('data_set', 0), 'sample')}.{verdict}"


def _means(metric: str, evaluations: Sequence[Evaluation]) -> Grid:
    rows = [
        [
            found.source,
            key,
            f"{values['mean']:.4f}",
            interval(values["low"], values["high"]),
            f"{values['n']:,}",
            DIRECTIONS[found.higher_is_better.get(key)],
        ]
        for found in evaluations
        for key, values in found.summary.items()
    ]
    return Grid(metric, ["maps", "quantity", "mean", "95 % interval", "n", "direction"], rows)


def plural(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> plural(1, "sample"), plural(2000, "sample")
    ('1 sample', '2,000 samples')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
