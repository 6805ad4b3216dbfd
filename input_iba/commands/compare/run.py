"""A comparison from work directories to report: read, check, score, sum up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from input_iba.commands.compare.compared import Compared
from input_iba.commands.compare.methods import (
    Method,
    against,
    check_built,
    check_comparable,
    read_methods,
    targets_of,
)
from input_iba.commands.compare.options import CompareOptions
from input_iba.commands.compare.report import write_report
from input_iba.commands.evaluate.loop import Scoring, score_all
from input_iba.commands.evaluate.samples import (
    Selection,
    select,
    warn_of_tied_maps,
    warn_of_ties,
)
from input_iba.commands.evaluate.setup import build_context, check_modality
from input_iba.config.load import load_config
from input_iba.errors import ResumeError
from input_iba.evaluation import Metric
from input_iba.results import Entry, RowLog, safe_name
from input_iba.results.map_files import find_maps
from input_iba.run.shell import LOGGER, Run, opened


@dataclass(frozen=True)
class CompareResult:
    """How a comparison ended.

    Attributes:
        failed: Rows that could not be scored.
        text: The table, for a terminal.
        page: The HTML page; `compare.md` and `compare.json` lie beside it.
    """

    failed: int
    text: str
    page: Path


@dataclass(frozen=True)
class _Part:
    """One method under one metric: what is scored, which samples, and where rows are kept."""

    scoring: Scoring
    selection: Selection
    log: RowLog
    entries: dict[str, Entry]


def run_compare(options: CompareOptions, metrics: Sequence[Metric]) -> CompareResult:
    """Score the maps of several work directories by several metrics on the same samples.

    Rows are kept in `rows/`, one file per metric and method, which `resume` goes on with; methods
    and metrics may be added then.

    Raises:
        InputIBAError: Nothing could be started; the message says why. A single sample that
            cannot be read or scored raises nothing: it is reported as failed.
    """
    with opened(options.out / "compare.log", options, seed=options.seed) as run:
        return _run(options, metrics, run)


def _run(options: CompareOptions, metrics: Sequence[Metric], run: Run) -> CompareResult:
    methods = read_methods(options.work_dirs, options.names)
    reference = against(methods, options.against)
    check_comparable(methods)
    config = load_config(methods[0].root / "config.py", options.cfg_options)
    check_modality(metrics, config.kind.name == "texts")
    for warning in config.warnings:
        LOGGER.warning("%s", warning)
    context, dataset = build_context(config, run, options.out / "compare")
    check_built(methods[0], context.fingerprints)
    maps = {method.name: find_maps(method.folder, dataset.ids) for method in methods}
    selection = _select(options, dataset.ids, maps)
    parts: dict[tuple[str, str], _Part] = {}
    targets = targets_of(methods)
    for metric in metrics:
        score = metric.scorer(context)  # one for all methods: they share what it draws
        for method in methods:
            scoring = Scoring(
                config=config,
                context=context,
                metric=metric,
                score=score,
                options=options,
                dataset=dataset,
                folder=method.folder,
                maps=maps[method.name],
                targets=targets,
            )
            parts[metric.name, method.name] = _begin(options, method, scoring, selection)
    compared = Compared(
        options=options,
        methods=methods,
        reference=reference,
        metrics=metrics,
        context=context,
        dataset=dataset,
        selection=selection,
        maps=maps,
        entries={names: part.entries for names, part in parts.items()},
    )
    for method in methods:
        warn_of_ties([maps[method.name][id_] for id_ in selection.ids if id_ in maps[method.name]])
    try:
        for (metric_name, name), part in parts.items():
            LOGGER.info("%s of %s:", metric_name, name)
            score_all(part.scoring, part.selection, part.entries, part.log)
            warn_of_tied_maps(part.entries.values(), f"{metric_name} of {name}")
    finally:  # an interrupted comparison reports what it has, as partial
        text, page = write_report(compared)
    return CompareResult(compared.failed, text, page)


def _select(
    options: CompareOptions, ids: Sequence[str], maps: Mapping[str, Mapping[str, Path]]
) -> Selection:
    """Choose the samples: those with a map of every method, or of any with `allow_missing`."""
    either = any if options.allow_missing else all
    present = {
        id_: next(of_method[id_] for of_method in maps.values() if id_ in of_method)
        for id_ in ids
        if either(id_ in of_method for of_method in maps.values())
    }
    selection = select(ids, present, options.num_samples, options.seed, allow_missing=True)
    if selection.missing:
        LOGGER.warning(
            "%d of %d samples are left out: %s has a map of them.",
            len(selection.missing),
            len(ids),
            "no method" if options.allow_missing else "not every method",
        )
    return selection


def _begin(
    options: CompareOptions, method: Method, scoring: Scoring, selection: Selection
) -> _Part:
    """Start the rows of one method under one metric, or go on with them."""
    folder = options.out / "rows" / scoring.metric.name
    log = RowLog(folder / f"{safe_name(method.name)}.rows.jsonl")
    if not log.path.exists() and not folder.parent.exists():
        _refuse_strangers(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    own = Selection(
        [id_ for id_ in selection.ids if id_ in scoring.maps], selection.missing, selection.total
    )
    kept = scoring.begin(log)
    return _Part(scoring, own, log, {id_: kept[id_] for id_ in own.ids if id_ in kept})


def _refuse_strangers(out: Path) -> None:
    """Refuse to write over results whose rows are not there."""
    strangers = [path for path in out.glob("compare.*") if path.suffix in {".md", ".json", ".html"}]
    if strangers:
        raise ResumeError(
            f"'{strangers[0]}' exists and was not made by this tool, or its rows are gone. Choose "
            "another --out, or move the file."
        )
