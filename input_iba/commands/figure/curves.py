"""A figure of the curves of several methods, from the results of evaluation commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from input_iba.commands.figure.options import CurveOptions
from input_iba.core.files import read_json
from input_iba.drawing import Chart, figure_format, write_panels
from input_iba.errors import ConfigError, EvaluationError
from input_iba.evaluation import METRICS, Metric
from input_iba.evaluation.base import NOT_WRITTEN
from input_iba.results import RowLog, telling_names, written_whole

BANDS = "bands: 95 % (± 1.96 standard errors over samples)"

ROWS = ".rows.jsonl"
"""Ending of the rows that `input-iba compare` keeps, and evaluations beside their result."""

ALIKE = ("metric", "settings", "classifier", "data")
"""What results in one figure must have in common."""


@dataclass(frozen=True)
class Result:
    """What one evaluation found: its name in the legend, and by sample the rows."""

    name: str
    path: Path
    made_with: Mapping[str, Any]
    rows: Mapping[str, Mapping[str, Any]]


def figure_curves(options: CurveOptions) -> int:
    """Draw the mean curves of some methods over samples; return how many samples these are.

    Raises:
        ConfigError: Figures are not written with this ending.
        EvaluationError: A file is not a result with curves, names do not fit, or results cannot be
            compared.
    """
    format_ = figure_format(options.out)
    paths = options.results
    stems = [path.with_name(path.name.removesuffix(ROWS).removesuffix(".json")) for path in paths]
    names = telling_names(stems, options.names)
    results = [_read(path, name) for path, name in zip(paths, names, strict=True)]
    _check_alike(results)
    if not options.own_samples:
        results = _on_shared_samples(results)
    metric = _metric(results[0])
    for result in results:
        try:
            metric.chart(list(result.rows.values()))
        except NOT_WRITTEN as error:
            raise EvaluationError(
                f"'{result.path}' holds rows that '{metric.name}' does not write. Evaluate again."
            ) from error
    title, charts = panels(metric, results)
    with written_whole(options.out) as aside:
        write_panels(aside, title, charts, format_, BANDS)
    return min(len(result.rows) for result in results)


def panels(metric: Metric, results: Sequence[Result]) -> tuple[str, list[Chart]]:
    """Return a title, and one chart for each curve of a metric with one line per method."""
    drawn = [metric.chart(list(result.rows.values())) for result in results]
    counts = [len(result.rows) for result in results]
    title, labels = drawn[0].title.partition(", mean of ")[0], [result.name for result in results]
    if len(set(counts)) == 1:
        title += f", {counts[0]} samples"
    else:
        labels = [f"{label} ({count})" for label, count in zip(labels, counts, strict=True)]
    charts = []
    for i, line in enumerate(drawn[0].lines):
        pairs = zip(drawn, labels, strict=True)
        lines = [replace(chart.lines[i], label=label) for chart, label in pairs]
        charts.append(replace(drawn[0], title=line.label, lines=lines))
    return title, charts


def _read(path: Path, name: str) -> Result:
    try:
        if path.name.endswith(ROWS):
            made_with, entries = RowLog(path).read()
            rows = {id_: entry.row for id_, entry in entries.items() if entry.status == "scored"}
            return Result(name, path, made_with or {}, rows)
        content = read_json(path)
        found = Result(name, path, content["made_with"], content["rows"])
        if not all(isinstance(one, dict) for one in (found.made_with, found.rows)):
            raise ValueError("expected objects under 'made_with' and 'rows'")
        return found
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f"'{path}' cannot be read as the result of an evaluation "
            f"({type(error).__name__}: {error}). Give the JSON files that the evaluation commands "
            f"write, or the {ROWS} files of input-iba compare."
        ) from error


def _metric(result: Result) -> Metric:
    name = str(result.made_with.get("metric"))
    if name not in METRICS or not result.rows:
        raise EvaluationError(
            f"'{result.path}' holds {len(result.rows)} rows of metric {name!r}: expected at least "
            f"one of {', '.join(METRICS)}."
        )
    try:
        return METRICS[name](**result.made_with.get("settings", {}))
    except (TypeError, EvaluationError, ConfigError) as error:
        raise EvaluationError(
            f"'{result.path}' was made with settings that {name!r} does not take: {error}"
        ) from error


def _check_alike(results: Sequence[Result]) -> None:
    """Refuse results whose curves would mean different things."""
    first = results[0]
    for other in results:
        _metric(other)
        different = [
            f"{key}: {old} and {new}"
            for key in ALIKE
            if (old := first.made_with.get(key)) != (new := other.made_with.get(key))
        ]
        if different:
            raise EvaluationError(
                f"'{first.path}' and '{other.path}' cannot stand in one figure:\n  "
                + "\n  ".join(different)
                + "\nEvaluate the same samples of the same classifier with the same options."
            )


def _on_shared_samples(results: Sequence[Result]) -> list[Result]:
    """Keep the samples that every method has a row of; refuse results where there are none."""
    shared = set.intersection(*(set(result.rows) for result in results))
    if not shared:
        raise EvaluationError(
            "No sample is scored in all of the results. Evaluate the same ones, or give "
            "--own-samples."
        )
    return [
        replace(result, rows={id_: row for id_, row in result.rows.items() if id_ in shared})
        for result in results
    ]
