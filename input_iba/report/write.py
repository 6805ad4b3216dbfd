"""Write `report.html`: at the end of a run, at the end of an evaluation, and by command."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from input_iba.errors import DataError, InputIBAError
from input_iba.report.evaluations import results_in
from input_iba.report.gather import build, gather
from input_iba.report.pages import write_pages
from input_iba.report.rows import format_table
from input_iba.results import WorkDir
from input_iba.run.shell import LOGGER

PAGE = "report.html"


def write_report(work: WorkDir, ids: Iterable[str]) -> tuple[str, Path]:
    """Write the page of a run, with the evaluations beside it; return its table, and its path.

    `ids` are the samples in the order of table and page; those without a record are left out.
    """
    page = work.report_path
    name = work.root.resolve().name
    report = build({work.root: name}, results_in(work.root), page, name, ids)
    write_pages(report, page)
    return format_table(report.sources[0].rows), page


def report_evaluation(folder: Path) -> Path | None:
    """Write the page of a folder of results, which may be the work directory of a run, too.

    An evaluation that ended well does not fail over its page: the log says why there is none.
    """
    page = folder / PAGE
    try:
        report, _ = gather([folder], page)
    except InputIBAError as error:
        LOGGER.warning("No report was written: %s", error)
        return None
    write_pages(report, page)
    return page


def report_folders(
    folders: Sequence[Path],
    out: Path | None = None,
    names: Sequence[str] | None = None,
    title: str | None = None,
) -> Path:
    """Write one page about several work directories, side by side; return where it is.

    `out` is the page, or a folder for it; None for `report.html` in the folder, or of several in
    the closest one that holds them all. `names` are None for those of the folders, and `title` for
    one that says how many runs there are.

    Raises:
        DataError: A folder holds nothing to show, or `out` is to be chosen.
        EvaluationError: Names do not fit.
    """
    unique = list(dict.fromkeys(folders))
    page = _page(unique, out)
    report, _ = gather(unique, page, names)
    report = report if title is None else replace(report, title=title)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_pages(report, page)
    return page


def _page(folders: Sequence[Path], out: Path | None) -> Path:
    if out is not None:
        return out if out.suffix.lower() in {".html", ".htm"} else out / PAGE
    if len(folders) == 1:
        return folders[0] / PAGE
    try:
        shared = Path(os.path.commonpath([folder.resolve() for folder in folders]))
    except ValueError:  # on different drives
        shared = Path(folders[0].anchor)
    if shared == Path(shared.anchor) or shared in {folder.resolve() for folder in folders}:
        raise DataError(
            "These work directories have no folder of their own in common, so there is no place "
            "that suggests itself for their report. Give --out FILE.html."
        )
    return shared / PAGE
