"""What is known of each sample, a line of JSON each, appended as soon as it is known.

`records.jsonl` holds what a run explained, `*.rows.jsonl` what an evaluation scored. The last line
about a sample counts, and a line that a crash cut off, or that does not fit, counts as absent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from glob import escape
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from input_iba.core.files import written_whole
from input_iba.results.checked import checked, fits
from input_iba.results.containment import Inside
from input_iba.results.log_lines import LogLines, parsed
from input_iba.results.resume import may_continue
from input_iba.results.sample_record import SampleRecord
from input_iba.results.writing import append_text, write_text

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """What an evaluation found about one sample.

    Attributes:
        status: Of a 'skipped' sample a rule of the metric decided that it has no score.
        row: Scores as plain data; empty unless scored.
        reason: Why a row is missing; empty when scored.
        stamp: What changes with the map's file: size and time of change; empty without a file.
    """

    id: str
    status: Literal["scored", "skipped", "failed"]
    row: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    stamp: str = ""


T = TypeVar("T", bound=SampleRecord | Entry)


class SampleLog(Generic[T]):
    """A file of lines about samples, perhaps after one that says what all of them depend on.

    Each process of a run appends to a file of its own, `records.rank1.jsonl` for the second.
    Readers merge them, and `tidy` leaves one file. No two processes explain the same sample, and
    a run tidies before it appends, so what another process's file says of a sample is never older
    than what the first one's says.
    """

    kind: type[T]

    def __init__(self, path: Path, rank: int = 0) -> None:
        self.path = path
        self.own = path.with_suffix(f".rank{rank}{path.suffix}") if rank else path

    def append(self, *found: T) -> None:
        """Add lines and see them to the disk before returning."""
        append_text(self.own, "".join(map(_line, found)))

    def load(self) -> dict[str, T]:
        """Read what is known of each sample, by its id."""
        return self.read()[1]

    def read(self) -> tuple[dict[str, Any] | None, dict[str, T]]:
        """Read what the file begins with, None where that is about a sample, and the samples."""
        with self.lines() as lines:
            return lines.head, {one.id: one for one in self.each(lines, lines.ids)}

    def scan(self, order: Iterable[str] | None = None) -> Iterator[T]:
        """Read what is known of each sample, one after the other; of those of `order`, if given."""
        with self.lines() as lines:
            yield from self.each(lines, lines.ids if order is None else order)

    def tidy(self, order: Iterable[str] = (), head: Mapping[str, Any] | None = None) -> None:
        """Rewrite as one file with one line per sample, those of `order` first and in that order.

        No other process may append meanwhile.
        """
        others = self._others()
        with self.lines() as lines:
            known = dict.fromkeys(lines.ids)
            first = {id_: None for id_ in order if id_ in known}
            ids = list(first | known)
            if lines.tidy and ids == lines.ids and head == lines.head:
                return
            # Also where all that is there is a line that was cut off: it would swallow the next.
            if ids or head is not None or self.path.is_file():
                with written_whole(self.path) as aside, aside.open("w", encoding="utf-8") as stream:
                    stream.write(_head(head))
                    stream.writelines(map(_line, self.each(lines, ids)))
        for path in others:
            path.unlink()

    def lines(self) -> LogLines:
        """Return where each line stands, once that is entered."""
        return LogLines(self.path, self._others())

    def each(self, lines: LogLines, ids: Iterable[str]) -> Iterator[T]:
        """Yield what the last line that fits says of each sample that has one."""
        broken = 0
        for id_ in ids:
            for line in lines.about(id_):
                try:
                    one = checked(self.kind, parsed(line))
                except (ValueError, TypeError):
                    broken += 1
                else:
                    yield one
                    break
        if broken:
            LOGGER.warning("%d lines of '%s' do not fit and count as absent.", broken, self.path)

    def _others(self) -> list[Path]:
        """Return the files of processes other than the first."""
        return sorted(self.path.parent.glob(f"{escape(self.path.stem)}.rank*{self.path.suffix}"))


class RecordLog(SampleLog[SampleRecord]):
    """The records of a work directory."""

    kind = SampleRecord

    @cached_property
    def _inside(self) -> Inside:
        return Inside(self.path.parent, self.path)

    def each(self, lines: LogLines, ids: Iterable[str]) -> Iterator[SampleRecord]:
        """Yield the records, as every log does.

        Raises:
            DataError: A record names a file outside the work directory.
        """
        for record in super().each(lines, ids):
            for file in record.files.values():
                self._inside.check(file)
            yield record

    def done(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Yield each sample that is done, with its files."""
        return ((id_, files) for id_, status, files in self._brief() if status == "done")

    def failed(self) -> Iterator[str]:
        """Yield each sample that failed."""
        return (id_ for id_, status, _ in self._brief() if status == "failed")

    def _brief(self) -> Iterator[tuple[str, Any, Mapping[str, str]]]:
        """Yield each sample with status and files, without reading the rest of its record."""
        with self.lines() as lines:
            for id_ in lines.ids:
                values = parsed(_in_brief(next(lines.about(id_))))
                files = values.get("files", {})
                if fits(files, Mapping[str, str]):
                    yield id_, values.get("status"), files


class RowLog(SampleLog[Entry]):
    """The rows of an evaluation, after what all of them depend on."""

    kind = Entry

    def begin(self, identity: Mapping[str, Any], resume: bool) -> dict[str, Entry]:
        """Start the file, or go on with the one that is there; return the entries kept, by id.

        Rows stay the same as long as the `identity` does.

        Raises:
            ResumeError: There are rows, and they are not to be kept, or were made otherwise.
        """
        earlier, entries = self.read()
        what = f"The evaluation of {len(entries)} samples in '{self.path}'"
        nothing = earlier is None or not (entries or resume)
        then = None if nothing else earlier
        if not may_continue(what, then, identity, resume, "choose another file name"):
            write_text(self.path, _head(identity))
            return {}
        # Rewritten, so that a line cut off by a crash does not swallow the next one.
        self.tidy(head=identity)
        return entries


def _line(one: SampleRecord | Entry) -> str:
    return json.dumps(vars(one), allow_nan=False, default=dict) + "\n"


def _head(values: Mapping[str, Any] | None) -> str:
    return "" if values is None else json.dumps(values) + "\n"


def _in_brief(line: bytes) -> bytes:
    """Return a line with status and files alone, where it is as it was written.

    In JSON no text holds a quote that is not escaped, so that keys are what they look like.
    """
    status = line.partition(b'", "status": "')[2].partition(b'"')[0]
    _, found, rest = line.rpartition(b', "files": {')
    files, losses, _ = rest.partition(b'}, "losses": {')
    if not (status and found and losses and line.endswith(b"}\n")):
        return line
    return b'{"status": "%b", "files": {%b}}' % (status, files)
