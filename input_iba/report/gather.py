"""From work directories to what the report shows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from input_iba.errors import DataError
from input_iba.report.evaluations import Result, results_in
from input_iba.report.model import Evaluation, Report, Source
from input_iba.report.rows import LoggedRows
from input_iba.results import OWN_METHOD, Manifest, WorkDir, telling_names


def gather(
    folders: Sequence[Path], page: Path, names: Sequence[str] | None = None
) -> tuple[Report, list[Path]]:
    """Read runs and evaluations; return the report, and the work directories of its runs.

    A result belongs to the run whose maps it scored. Where only evaluations are given, the runs
    are those whose maps they scored.

    Args:
        folders: Work directories of runs, and folders of results.
        page: Where the report will be written.
        names: One name per folder, or None for the folders' names.

    Raises:
        DataError: A folder holds neither a run nor a result.
        EvaluationError: Names do not fit.
    """
    results = {folder: results_in(folder) for folder in folders if folder.is_dir()}
    for folder in folders:
        if not results.get(folder) and not _is_run(folder):
            raise DataError(
                f"'{folder}' is neither the work directory of a run nor a folder of results: "
                "there is no manifest.json, and no result of an evaluation. Give the --work-dir of "
                "a run, or the WORK_DIR of an evaluation."
            )
    called = dict(zip(folders, telling_names(folders, names), strict=True))
    runs = [folder for folder in folders if _is_run(folder)]
    every = [result for of_folder in results.values() for result in of_folder]
    if not runs:
        runs = list(dict.fromkeys(found.run for found in every if found.run is not None))
        called |= dict(zip(runs, telling_names(runs), strict=True))
        called |= {
            result.run: result.name  # as a comparison called it
            for result in every
            if result.name and result.run is not None and result.own_maps
        }
    return build({run: called[run] for run in runs}, every, page, folders[0].resolve().name), runs


def build(
    runs: Mapping[Path, str],
    results: Sequence[Result],
    page: Path,
    title: str,
    ids: Iterable[str] | None = None,
) -> Report:
    """Put runs, from work directory to name, and results together.

    `title` is the heading where there are several runs, or none; `ids` are the samples of every
    run and their order, None for all in the order of the records.
    """
    order = None if ids is None else list(ids)
    owned = [(result, _owner(result, runs)) for result in results]
    sources = [
        _source(run, name, [result for result, owner in owned if owner == run], page, order)
        for run, name in runs.items()
    ]
    if len(runs) == 1:
        title = Path(Manifest.read(next(iter(runs)) / "manifest.json").config_file).stem
    elif len(runs) > 1:
        title = f"{len(runs)} runs: {', '.join(runs.values())}"
    evaluations = [
        _evaluation(result, _name(result, None if owner is None else runs[owner]), page)
        for result, owner in owned
    ]
    return Report(title, sources, evaluations)


def _is_run(folder: Path) -> bool:
    return (folder / "manifest.json").is_file()


def _owner(result: Result, runs: Mapping[Path, str]) -> Path | None:
    """Return the run whose maps were scored, or None.

    Paths in results are as they were given on the command line; where they lead nowhere from here,
    a result belongs to the run in whose folder it lies.
    """
    beside = {run.resolve(): run for run in runs}
    if result.run is not None:
        return beside.get(result.run.resolve())
    return beside.get(result.path.resolve().parent)


def _name(result: Result, run: str | None) -> str:
    if result.maps is None:
        return result.path.name
    if run is None:
        return result.name or str(result.maps)
    return run if result.own_maps else f"{run}/{result.maps.name}"


def _source(
    root: Path, name: str, results: Sequence[Result], page: Path, ids: Sequence[str] | None
) -> Source:
    work = WorkDir(root, resume=True)
    manifest = Manifest.read(work.manifest_path)
    scores = _scores([result for result in results if result.own_maps])
    folder = relative(root, page)
    before = f"{folder}/" if folder else ""
    rows = LoggedRows(work, ids, before, scores)
    return Source(
        name=name,
        rows=rows,
        samples=manifest.samples,
        complete=manifest.complete,
        facts=_facts(manifest, sum(brief.total_seconds for brief in rows.briefs)),
        manifest=asdict(manifest),
        method="" if manifest.method == OWN_METHOD else manifest.method,
        briefs=rows.briefs,
    )


def _scores(results: Sequence[Result]) -> dict[str, dict[str, float]]:
    """Return the numbers of every sample by metric and key, and by file where a metric has two."""
    metrics = [result.metric for result in results]
    found: dict[str, dict[str, float]] = {}
    for result in results:
        again = f" ({result.path.stem})" if metrics.count(result.metric) > 1 else ""
        for id_, scores in result.scores().items():
            for key, value in scores.items():
                found.setdefault(id_, {})[f"{result.metric} {key}{again}"] = value
    return found


def relative(path: Path, page: Path) -> str:
    """Return a path relative to the folder of a page; empty for that folder itself."""
    try:
        found = Path(os.path.relpath(path.resolve(), page.resolve().parent)).as_posix()
    except ValueError:  # on another drive
        return path.resolve().as_uri()
    return "" if found == "." else found


def _evaluation(result: Result, source: str, page: Path) -> Evaluation:
    content, said = result.content, ""
    if (verdict := content.get("verdict")) is not None:
        said = f"{'Passed' if verdict['passes'] else 'Not passed'}: {verdict['rule']}"
    return Evaluation(
        metric=result.metric,
        source=source,
        file=relative(result.path, page),
        complete=content["complete"],
        counts=content["samples"],
        summary=content["summary"],
        higher_is_better=content["higher_is_better"],
        chart=result.chart(),
        left_out=result.left_out(),
        verdict=said,
        settings=content["made_with"],
    )


def _facts(manifest: Manifest, seconds: float) -> dict[str, str]:
    finished = manifest.finished and datetime.fromisoformat(manifest.finished)  # in UTC
    return {
        **({} if manifest.method == OWN_METHOD else {"Method": manifest.method}),
        **({"Layer": manifest.layer} if manifest.layer else {}),
        "Device": manifest.device,
        "Precision": manifest.identity.precision,
        "Seed": str(manifest.identity.seed),
        "Time for all": f"{seconds:,.0f} s",
        "Finished": f"{finished:%Y-%m-%d %H:%M} UTC" if finished else "not yet",
        "Config": manifest.identity.config[:12],
    }
