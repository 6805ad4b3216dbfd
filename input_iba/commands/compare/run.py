"""A comparison from work directories to report: read, check, score, sum up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
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
from input_iba.commands.evaluate.context import build_context, check_kind
from input_iba.commands.evaluate.loop import Scoring, score_all
from input_iba.commands.evaluate.samples import (
    Selection,
    select,
    tied_maps,
    warn_of_tied_maps,
    warn_of_ties,
)
from input_iba.config.build import build_attributor
from input_iba.config.kept import load_kept
from input_iba.config.other_method import with_baseline
from input_iba.core.files import Readable, remove_parts
from input_iba.errors import ResumeError
from input_iba.evaluation import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.evaluation.repeatability import RepeatingMetric
from input_iba.results import OWN_METHOD, Entry, RowLog, safe_name
from input_iba.results.map_files import find_maps
from input_iba.run.shell import LOGGER, Run, continued_by, opened

MASKS = {"input_masks": "input_mask", "feat_masks": "feature_mask", "prior_masks": "prior_mask"}
"""What our own method calls the maps of a folder."""


@dataclass(frozen=True)
class CompareResult:
    """Number of rows that could not be scored, the table for a terminal, and the HTML page."""

    failed: int
    text: str
    page: Path


Found = Callable[[Compared], None]
"""Is told of a comparison at its end, also where that is an interruption."""


def run_compare(
    options: CompareOptions, metrics: Sequence[Metric], found: Found | None = None
) -> CompareResult:
    """Score the maps of several work directories by several metrics on the same samples.

    Rows are kept in `rows/`, one file per metric and method, which `resume` goes on with; methods
    and metrics may be added then.

    Raises:
        InputIBAError: Nothing could be started; the message says why. A single sample that
            cannot be read or scored raises nothing: it is reported as failed.
    """
    log, resume = options.out / "compare.log", continued_by(options.resume)
    with opened(log, options, seed=options.seed, resume=resume) as run:
        remove_parts(options.out / "rows")
        return _run(options, metrics, run, found)


def _run(
    options: CompareOptions, metrics: Sequence[Metric], run: Run, found: Found | None
) -> CompareResult:
    methods = read_methods(options.work_dirs, options.names)
    reference = against(methods, options.against)
    check_comparable(methods)
    config = load_kept(methods[0].root, options.cfg_options)
    check_kind(metrics, config)
    for warning in config.warnings:
        LOGGER.warning("%s", warning)
    context, dataset = build_context(config, run, options.out / "compare")
    check_built(methods[0], context.fingerprints)
    maps = {method.name: find_maps(method.folder, dataset.ids) for method in methods}
    selection = _select(options, dataset.ids, maps)
    scorings: dict[tuple[str, str], Scoring] = {}
    entries: dict[tuple[str, str], dict[str, Entry]] = {}
    targets = targets_of(methods)
    for metric in metrics:
        again = isinstance(metric, RepeatingMetric)
        shared = None if again else metric.scorer(context)  # methods share what it draws
        for method in methods:
            used = _of_method(metric, method) if again else metric
            own, log = maps[method.name], _row_log(options.out, metric.name, method.name)
            scorings[metric.name, method.name] = scoring = Scoring(
                config=config,
                context=context,
                metric=used,
                score=shared or _explaining_again(used, method, context),
                options=options,
                dataset=dataset,
                folder=method.folder,
                maps=own,
                selection=replace(selection, ids=[id_ for id_ in selection.ids if id_ in own]),
                log=log,
                targets=targets,
            )
            entries[metric.name, method.name] = scoring.begin()
    compared = Compared(
        options=options,
        methods=methods,
        reference=reference,
        metrics=metrics,
        context=context,
        dataset=dataset,
        selection=selection,
        maps=maps,
        entries=entries,
    )
    for method in methods:
        warn_of_ties([maps[method.name][id_] for id_ in selection.ids if id_ in maps[method.name]])
    try:
        for names, scoring in scorings.items():
            LOGGER.info("%s of %s:", *names)
            known = entries[names]
            score_all(scoring, known, partial(_keep, known))
            scored = [entry for entry in known.values() if entry.status == "scored"]
            warn_of_tied_maps(tied_maps(scored), len(scored), " of ".join(names))
    finally:  # an interrupted comparison reports what it has, as partial
        text, page = write_report(compared)
        if found is not None:
            found(compared)
    return CompareResult(compared.failed, text, page)


def _keep(known: dict[str, Entry], entry: Entry) -> None:
    known[entry.id] = entry


def _of_method(metric: Metric, method: Method) -> Metric:
    """Return a metric that makes maps itself as one that makes those of a method."""
    return replace(metric, mask=MASKS.get(method.folder.name, "map"))  # type: ignore[call-arg]


def _explaining_again(metric: Metric, method: Method, context: EvaluationContext) -> Score:
    """Return what scores maps that a method makes again, once the first one is asked for."""

    @cache
    def scorer() -> Score:
        config = load_kept(method.root)
        if method.manifest.method != OWN_METHOD:
            config = with_baseline(config, method.manifest.method)
        where = context.classifier, context.device, context.autocast
        return metric.scorer(
            replace(context, make_method=lambda _: build_attributor(config, *where))
        )

    def score(case: ScoredSample) -> Row | str:
        return scorer()(case)

    return score


def _select(
    options: CompareOptions, ids: Sequence[str], maps: Mapping[str, Mapping[str, Readable]]
) -> Selection:
    """Choose the samples: those with a map of every method, or of any with `allow_missing`."""
    either = any if options.allow_missing else all
    present = {
        id_: path
        for of_method in maps.values()
        for id_, path in of_method.items()
        if either(id_ in other for other in maps.values())
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


def _row_log(out: Path, metric: str, method: str) -> RowLog:
    """Return where the rows of a method under a metric are kept; refuse to write over results."""
    path = out / "rows" / metric / f"{safe_name(method)}.rows.jsonl"
    strangers = [path for path in out.glob("compare.*") if path.suffix in {".md", ".json", ".html"}]
    if strangers and not (out / "rows").exists():
        raise ResumeError(
            f"'{strangers[0]}' exists and was not made by this tool, or its rows are gone. Choose "
            "another --out, or move the file."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return RowLog(path)
