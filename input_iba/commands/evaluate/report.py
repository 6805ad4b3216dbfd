"""The result of an evaluation: a JSON file with rows and summary, and a curve beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, overload

from input_iba.commands.evaluate.samples import Selection, tied_maps
from input_iba.drawing import write_charts
from input_iba.evaluation import Metric, summarise
from input_iba.results import Entry, installed_versions, written_whole


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation's JSON file says beside its rows, where it is, and its report, if any."""

    content: Mapping[str, Any]
    path: Path
    report: Path | None = None

    @property
    def failed(self) -> int:
        """Number of samples that could not be read or scored."""
        return len(self.content["failed"])


class ScoredRows(Sequence[Mapping[str, Any]]):
    """The rows of an evaluation, read from its log when they are asked for.

    Args:
        entries: What is known of samples, by id.
        reached: Which of them count, in order; all are among the entries.

    Attributes:
        ids: Samples that have a row, which are the items.
        skipped, failed: From id to reason, of the others.
        tied: How many rows are of maps whose order is drawn.
    """

    def __init__(self, entries: Mapping[str, Entry], reached: Sequence[str]) -> None:
        self._entries = entries
        self.ids: list[str] = []
        self.skipped: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.tied = 0
        for entry in (entries[id_] for id_ in reached):
            if entry.status == "scored":
                self.ids.append(entry.id)
                self.tied += tied_maps([entry])
            else:
                reasons = self.skipped if entry.status == "skipped" else self.failed
                reasons[entry.id] = entry.reason

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, number: int) -> Mapping[str, Any]: ...

    @overload
    def __getitem__(self, number: slice) -> list[Mapping[str, Any]]: ...

    def __getitem__(self, number: int | slice) -> Mapping[str, Any] | list[Mapping[str, Any]]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        return self._entries[self.ids[number]].row


def write_result(
    path: Path,
    metric: Metric,
    made_with: Mapping[str, Any],
    selection: Selection,
    scored: ScoredRows,
) -> EvaluationResult:
    """Write the JSON file and, where there are rows, the curve as PNG beside it.

    `made_with` is what decided the rows, and `scored` what was found so far.
    """
    verdict = metric.verdict(scored) if scored else None
    reached = len(scored) + len(scored.skipped) + len(scored.failed)
    content = {
        "metric": metric.name,
        "complete": len(scored) + len(scored.skipped) == selection.total,
        "samples": {
            "data_set": selection.total,
            "selected": len(selection.ids),
            "scored": len(scored),
            "tied": scored.tied,
            "skipped": len(scored.skipped),
            "failed": len(scored.failed),
            "not_reached": len(selection.ids) - reached,
            "without_map": len(selection.missing),
        },
        "higher_is_better": dict(metric.higher_is_better),
        "summary": summarise_rows(metric, scored),
        **({} if verdict is None else {"verdict": verdict}),
        "skipped": scored.skipped,
        "failed": scored.failed,
        "without_map": list(selection.missing),
        "made_with": {**made_with, "versions": installed_versions()},
    }
    if scored:
        with written_whole(path.with_suffix(".png")) as aside:
            write_charts(aside, [metric.chart(scored)])
    with written_whole(path) as aside, aside.open("w", encoding="utf-8") as stream:
        _write_json(stream, content, zip(scored.ids, scored, strict=True))
    return EvaluationResult(content, path)


def _write_json(
    stream: IO[str], content: Mapping[str, Any], rows: Iterable[tuple[str, Mapping[str, Any]]]
) -> None:
    """Write a mapping with one item more, `rows`, of which one is held at a time."""
    stream.write(json.dumps(content, indent=2, allow_nan=False).removesuffix("\n}"))
    stream.write(',\n  "rows": {')
    for number, (id_, row) in enumerate(rows):
        text = f"{json.dumps(id_)}: {json.dumps(row, allow_nan=False)}"
        stream.write(f"{',' if number else ''}\n    {text}")
    stream.write("\n  }\n}\n")


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
    lines += ["", f"{content['samples']['scored']} scored, {result.failed} failed"]
    reasons = Counter(content["skipped"].values())
    lines += [f"{count} left out: {reason}" for reason, count in reasons.items()]
    if "verdict" in content:
        said = "passed" if content["verdict"]["passes"] else "NOT passed"
        lines.append(f"{said}: {content['verdict']['rule']}")
    if not content["complete"]:
        lines.append("Partial: not every sample of the data set is scored or left out by a rule.")
    return "\n".join([*lines, f"Result: {result.path}"])


DIRECTIONS = {None: "", True: "  higher is better", False: "  lower is better"}
