"""An evaluation from config to report: build, check, score sample by sample, summarise."""

from __future__ import annotations

from dataclasses import replace

from input_iba.commands.evaluate.loop import Scoring, score_all
from input_iba.commands.evaluate.options import EvaluationOptions
from input_iba.commands.evaluate.report import EvaluationResult, write_result
from input_iba.commands.evaluate.samples import (
    read_scores,
    select,
    warn_of_tied_maps,
    warn_of_ties,
)
from input_iba.commands.evaluate.setup import build_context, check_kind
from input_iba.config.load import RunConfig
from input_iba.errors import ResumeError
from input_iba.evaluation import Metric
from input_iba.report import report_evaluation
from input_iba.results import RowLog
from input_iba.results.map_files import find_maps
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
    check_kind([metric], config)
    context, dataset = build_context(config, run, options.path.with_suffix(""))
    score, folder = metric.scorer(context), options.heatmap_dir
    maps = {} if folder is None else find_maps(folder, dataset.ids)
    scores = None if options.scores_file is None else read_scores(options.scores_file)
    selection = select(
        dataset.ids,
        None if folder is None else maps,
        options.num_samples,
        options.seed,
        allow_missing=options.allow_missing or not metric.needs_map,
    )
    if metric.needs_map:
        warn_of_ties([maps[id_] for id_ in selection.ids])
    log = RowLog(options.path.with_suffix(".rows.jsonl"))
    if options.path.exists() and not log.path.exists():
        raise ResumeError(
            f"'{options.path}' exists and was not made by this tool, or its rows are gone. Choose "
            "another FILE_NAME, or move the file."
        )
    scoring = Scoring(
        config, context, metric, score, options, dataset, folder, maps, selection, log, scores
    )
    entries = scoring.begin()
    made_with = {"config": str(config.path), **scoring.identity()}
    try:
        score_all(scoring, entries)
    finally:  # an interrupted evaluation reports what it has, as partial
        result = write_result(options.path, metric, made_with, selection, entries)
        warn_of_tied_maps(entries.values())
        report = report_evaluation(options.path.parent)
    return replace(result, report=report)
