"""Results of evaluations and of comparisons, found in folders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from input_iba.core.files import read_json
from input_iba.drawing import Chart
from input_iba.errors import InputIBAError
from input_iba.evaluation import METRICS
from input_iba.results import RowLog, safe_name
from input_iba.results.checked import fits
from input_iba.results.map_files import own_maps
from input_iba.run.shell import LOGGER
from input_iba.settings import declarations

COMPARISON = "compare.json"
"""The result of `input-iba compare`: one of every metric and method."""

PLAIN = Mapping[str, Any]

HINTS = {
    "metric": str,
    "complete": bool,
    "samples": Mapping[str, int],
    "higher_is_better": Mapping[str, bool | None],
    "summary": Mapping[str, PLAIN],
    "skipped": Mapping[str, str],
    "failed": Mapping[str, str],
    "without_map": list[str],
    "made_with": PLAIN,
    "rows": Mapping[str, PLAIN],
}
"""What the content of a result is."""

SUMMARY = {"mean": float, "low": float | None, "high": float | None, "n": int}
"""What is told of a summary."""

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError)
"""What is raised about a file that is none of ours."""

BEGINNING = b'"metric"'
"""Stands in the first line of the content of an evaluation's result."""


@dataclass(frozen=True)
class Result:
    """The result of one evaluation: a file and its content.

    Attributes:
        name: Name of the method that a comparison gave to the maps; empty in an evaluation.
        maps: Folder of the maps that were scored; None for a metric without maps.
    """

    path: Path
    content: Mapping[str, Any]
    name: str
    maps: Path | None

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return str(self.content["metric"])

    @cached_property
    def own_maps(self) -> bool:
        """Whether the maps are those that the report shows; scores of others are not theirs."""
        if self.maps is None or self.maps == self.run:
            return True
        return self.maps.name == own_maps(self.run or self.path.parent).name

    @property
    def run(self) -> Path | None:
        """The work directory that the maps come from, or None where there is none any more."""
        if self.maps is None:
            return None
        places = (self.maps, *self.maps.parents[:1])
        return next((place for place in places if (place / "manifest.json").is_file()), None)

    def scores(self) -> dict[str, dict[str, float]]:
        """Return the numbers by which samples can be compared: by sample id, then by key."""
        keys = self.content["higher_is_better"]
        return {
            id_: {key: float(row[key]) for key in keys if isinstance(row.get(key), (int, float))}
            for id_, row in self.content["rows"].items()
        }

    def left_out(self) -> dict[str, str]:
        """Return why samples have no row."""
        failed = {id_: f"failed: {why}" for id_, why in self.content["failed"].items()}
        unmapped = dict.fromkeys(self.content["without_map"], "without a map")
        return {**failed, **self.content["skipped"], **unmapped}

    def chart(self) -> Chart | None:
        """Return the curves of the rows; None where there are none, or of an unknown metric."""
        rows, kind = list(self.content["rows"].values()), METRICS.get(self.metric)
        if not rows or kind is None:
            return None
        settings = self.content["made_with"]["settings"]
        known = settings.keys() & declarations(kind)
        try:
            return kind(**{key: settings[key] for key in known}).chart(rows)
        except (InputIBAError, *UNREADABLE) as error:
            LOGGER.warning("The curve of '%s' cannot be drawn: %r.", self.path, error)
            return None

    def check(self) -> None:
        """Touch all that the report reads, so that a foreign file fails here."""
        content = self.content
        for key, hint in HINTS.items():
            if not fits(content[key], hint):
                raise ValueError(f"{key!r} is of another type")
        for values in content["summary"].values():
            alike = (values["low"] is None) == (values["high"] is None)
            if not alike or not all(fits(values[key], hint) for key, hint in SUMMARY.items()):
                raise ValueError("'summary' is of another type")
        verdict, settings = content.get("verdict", {"rule": ""}), content["made_with"]["settings"]
        if not (fits(verdict, PLAIN) and fits(verdict["rule"], str) and fits(settings, PLAIN)):
            raise ValueError("'verdict' or 'settings' is of another type")
        json.dumps(content, allow_nan=False)
        _ = (self.run, self.scores(), self.left_out(), verdict.get("passes"))


def results_in(folder: Path) -> list[Result]:
    """Read the results that lie in a folder, by name; other files are passed over."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            results = list(_read(path))
            for result in results:
                result.check()
        except UNREADABLE as error:
            why = f"{type(error).__name__}: {error}"
            LOGGER.warning("'%s' cannot be read as the result of an evaluation: %s.", path, why)
            continue
        found += results
    return found


def _read(path: Path) -> Iterable[Result]:
    if path.name != COMPARISON:
        with path.open("rb") as stream:
            if BEGINNING not in stream.read(64):
                return []
    content = read_json(path)
    if path.name == COMPARISON:
        return _compared(path, content)
    maps = content["made_with"]["maps"]
    return [Result(path, content, "", None if maps is None else Path(maps))]


def _compared(path: Path, content: Mapping[str, Any]) -> Iterator[Result]:
    """Take a comparison apart: what each method has under each metric, as an evaluation says it."""
    shared = content["samples"]
    for metric, of_metric in content["metrics"].items():
        for name, method in content["methods"].items():
            parts = {part: of_metric[part].get(name, {}) for part in ("rows", "skipped", "failed")}
            rows, skipped, failed = map(len, parts.values())
            counts = {"data_set": shared["data_set"], "selected": shared["selected"]}
            counts |= {"scored": rows, "skipped": skipped, "failed": failed}
            counts["not_reached"] = shared["selected"] - rows - skipped - failed
            counts["without_map"] = len(shared["without_map"])
            keys = of_metric["keys"]
            found = {
                "metric": metric,
                "complete": rows + skipped == shared["selected"],
                "samples": counts,
                "higher_is_better": {key: keys[key]["higher_is_better"] for key in keys},
                "summary": {key: keys[key]["methods"][name] for key in keys},
                "without_map": shared["without_map"],
                "made_with": {**content["made_with"], "settings": of_metric["settings"]},
                **parts,
            }
            # The comparison keeps numbers only; the rows as they came have the curves, too.
            log = path.parent / "rows" / metric / f"{safe_name(name)}.rows.jsonl"
            kept = RowLog(log).read()[1]
            found["rows"] = {
                id_: {**(kept[id_].row if id_ in kept else {}), **row}
                for id_, row in parts["rows"].items()
            }
            yield Result(path, found, name, Path(method["maps"]))
