"""Results of evaluations and comparisons, found in folders."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from input_iba.report.compared import FILE, compared_results
from input_iba.report.evaluations import Result
from input_iba.run.logs import LOGGER

BEGINNING = b'"metric"'
"""Stands in the first line of a result's content."""


def results_in(folder: Path) -> list[Result]:
    """Read the results that lie in a folder, by name; other files are passed over."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            results = list(_read(path))
            for result in results:
                result.check()
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            LOGGER.warning("'%s' cannot be read as the result of an evaluation: %r.", path, error)
            continue
        found += results
    return found


def _read(path: Path) -> Iterable[Result]:
    if path.name == FILE:
        return compared_results(path.parent)
    with path.open("rb") as stream:
        if BEGINNING not in stream.read(64):
            return []
    content = json.loads(path.read_text(encoding="utf-8"))
    return [Result(path, content, "", content["made_with"]["maps"])]
