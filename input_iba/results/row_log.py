"""Rows of an evaluation, appended sample by sample, so that a stopped one goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from input_iba.results.resume import may_continue
from input_iba.results.writing import append_text, write_text

Status = Literal["scored", "skipped", "failed"]


@dataclass(frozen=True)
class Entry:
    """What an evaluation found about one sample.

    Attributes:
        id: The sample's id.
        status: 'scored', 'skipped' by a rule of the metric, or 'failed'.
        row: Scores as plain data; empty unless scored.
        reason: Why there is no row; empty when scored.
        stamp: What changes with the map's file: size and time of change; empty without a file.
    """

    id: str
    status: Status
    row: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    stamp: str = ""


class RowLog:
    """A file of lines: what was evaluated how, then one entry per sample; the last one counts.

    Args:
        path: The file; made by `begin`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, identity: Mapping[str, Any], resume: bool) -> dict[str, Entry]:
        """Start the file, or go on with the one that is there.

        Args:
            identity: What must stay the same for rows to: plain data.
            resume: Whether entries that are there are kept.

        Returns:
            The entries kept, by id.

        Raises:
            ResumeError: There are rows already and `resume` is not set, or they were made
                otherwise.
        """
        present = json.loads(json.dumps(identity))
        earlier, entries = self.read()
        if earlier is None or not (entries or resume):
            write_text(self.path, json.dumps(present) + "\n")
            return {}
        what = f"The evaluation of {len(entries)} samples in '{self.path}'"
        may_continue(what, earlier, present, resume, "choose another file name")
        # Rewritten, so that a line cut off by a crash does not swallow the next one.
        lines = [json.dumps(present), *(json.dumps(asdict(entry)) for entry in entries.values())]
        write_text(self.path, "\n".join(lines) + "\n")
        return entries

    def append(self, entry: Entry) -> None:
        """Add an entry and see it to the disk before returning."""
        append_text(self.path, json.dumps(asdict(entry), allow_nan=False) + "\n")

    def read(self) -> tuple[dict[str, Any] | None, dict[str, Entry]]:
        """Return what the file begins with and its entries; broken lines count as absent."""
        if not self.path.is_file():
            return None, {}
        lines = self.path.read_text(encoding="utf-8").splitlines()
        values = [value for value in map(_parse, lines) if value is not None]
        known = {item.name for item in fields(Entry)}
        if not values or known <= values[0].keys():
            return None, {}
        entries = {value["id"]: Entry(**value) for value in values[1:] if value.keys() == known}
        return values[0], entries


def _parse(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
