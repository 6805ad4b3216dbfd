"""The result of an evaluation: a JSON file with rows and summary, and a curve beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from input_iba.commands.evaluate.samples import Selection, tied_maps
from input_iba.drawing import write_charts
from input_iba.evaluation import Metric, summarise
from input_iba.results import Entry, installed_versions, write_json, written_whole


@dataclass(frozen=True)
class EvaluationResult:
    """What is in an evaluation's JSON file, where it is, and the report of its folder, if any."""

    content: Mapping[str, Any]
    path: Path
    report: Path | None = None

    @property
    def failed(self) -> int:
        """Number of samples that could not be read or scored."""
        return len(self.content["failed"])


def write_result(
    path: Path,
    metric: Metric,
    made_with: Mapping[str, Any],
    selection: Selection,
    entries: Mapping[str, Entry],
) -> EvaluationResult:
    """Write the JSON file and, where there are rows, the curve as PNG beside it.

    `made_with` is what decided the rows, and `entries` what was found so far, by sample id.
    """
    found = {id_: entries[id_] for id_ in selection.ids if id_ in entries}
    rows = {id_: entry.row for id_, entry in found.items() if entry.status == "scored"}
    skipped, failed = (
        {id_: entry.reason for id_, entry in found.items() if entry.status == status}
        for status in ("skipped", "failed")
    )
    verdict = metric.verdict(list(rows.values())) if rows else None
    content = {
        "metric": metric.name,
        "complete": len(rows) + len(skipped) == selection.total,
        "samples": {
            "data_set": selection.total,
            "selected": len(selection.ids),
            "scored": len(rows),
            "tied": tied_maps(found.values()),
            "skipped": len(skipped),
            "failed": len(failed),
            "not_reached": len(selection.ids) - len(found),
            "without_map": len(selection.missing),
        },
        "higher_is_better": dict(metric.higher_is_better),
        "summary": summarise_rows(metric, list(rows.values())),
        **({} if verdict is None else {"verdict": verdict}),
        "skipped": skipped,
        "failed": failed,
        "without_map": list(selection.missing),
        "made_with": {**made_with, "versions": installed_versions()},
        "rows": rows,
    }
    if rows:
        with written_whole(path.with_suffix(".png")) as aside:
            write_charts(aside, [metric.chart(list(rows.values()))])
    write_json(path, content)
    return EvaluationResult(content, path)


def summarise_rows(metric: Metric, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Summarise every key over the rows that have it."""
    columns: dict[str, list[float]] = {}
    for row in rows:
        for key, value in metric.values(row).items():
            columns.setdefault(key, []).append(value)
    return {key: summarise(values).to_dict() for key, values in columns.items()}


def as_text(result: EvaluationResult, most: int = 12) -> str:
    """Lay the summary out for a terminal, at most `most` keys, and say what was left out."""
    content, summary = result.content, result.content["summary"]
    lines = [f"{'':<14}{'mean':>9}  {'95 % interval':<19}{'std':>8}{'n':>6}"]
    for key, values in list(summary.items())[:most]:
        interval = "" if values["low"] is None else f"[{values['low']:.4f}, {values['high']:.4f}]"
        std = "" if values["std"] is None else f"{values['std']:.4f}"
        lines.append(
            f"{key:<14}{values['mean']:>9.4f}  {interval:<19}{std:>8}{values['n']:>6}"
            f"{DIRECTIONS[content['higher_is_better'].get(key)]}"
        )
    if len(summary) > most:
        lines.append(f"and {len(summary) - most} more in the result")
    lines += ["", f"{len(content['rows'])} scored, {result.failed} failed"]
    reasons = Counter(content["skipped"].values())
    lines += [f"{count} left out: {reason}" for reason, count in reasons.items()]
    if "verdict" in content:
        said = "passed" if content["verdict"]["passes"] else "NOT passed"
        lines.append(f"{said}: {content['verdict']['rule']}")
    if not content["complete"]:
        lines.append("Partial: not every sample of the data set is scored or left out by a rule.")
    return "\n".join([*lines, f"Result: {result.path}"])


DIRECTIONS = {None: "", True: "  higher is better", False: "  lower is better"}
