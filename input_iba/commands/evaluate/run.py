"""An evaluation from config to report: build, check, score sample by sample, summarise."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from input_iba.commands.evaluate.context import build_scoring
from input_iba.commands.evaluate.loop import score_all, scored_here
from input_iba.commands.evaluate.on_ray import scored_on_ray
from input_iba.commands.evaluate.options import EvaluationOptions
from input_iba.commands.evaluate.report import EvaluationResult, ScoredRows, write_result
from input_iba.commands.evaluate.samples import warn_of_tied_maps, warn_of_ties
from input_iba.config.load import RunConfig
from input_iba.errors import ResumeError
from input_iba.evaluation import Metric
from input_iba.report import report_evaluation
from input_iba.results.opened_log import OpenedLog
from input_iba.run.shell import Run, opened


def run_evaluation(
    config: RunConfig, options: EvaluationOptions, metric: Metric
) -> EvaluationResult:
    """Score the maps of a folder by one metric.

    Beside the result lie its curve (`.png`), the rows as they came (`.rows.jsonl`, which
    `--resume` goes on with), a log (`.log`), and the report of all results in the folder
    (`report.html`).

    Raises:
        InputIBAError: Nothing could be started; the message says why. A single sample that
            cannot be read or scored raises nothing: it is reported as failed.
    """
    log = options.path.with_suffix(".log")
    with opened(log, options, seed=options.seed, warnings=config.warnings) as run:
        return _run(config, options, metric, run)


def _run(
    config: RunConfig, options: EvaluationOptions, metric: Metric, run: Run
) -> EvaluationResult:
    scoring = build_scoring(config, options, metric, run)
    if metric.needs_map:
        warn_of_ties([scoring.maps[id_] for id_ in scoring.selection.ids])
    if options.path.exists() and not scoring.log.path.exists():
        raise ResumeError(
            f"'{options.path}' exists and was not made by this tool, or its rows are gone. Choose "
            "another FILE_NAME, or move the file."
        )
    done = {entry.id for entry in scoring.kept()}
    made_with = {"config": str(config.path), **scoring.identity()}
    on_ray = partial(scored_on_ray, config, options)
    by = on_ray if options.launcher == "ray" else scored_here
    try:
        score_all(scoring, frozenset(done), lambda entry: done.add(entry.id), by)
    finally:  # an interrupted evaluation reports what it has, as partial
        reached = [id_ for id_ in scoring.selection.ids if id_ in done]
        rows = ScoredRows(OpenedLog(scoring.log), reached)
        result = write_result(options.path, metric, made_with, scoring.selection, rows)
        warn_of_tied_maps(rows.tied, len(rows))
        report = report_evaluation(options.path.parent)
    return replace(result, report=report)
