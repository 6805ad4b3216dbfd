"""Lines of JSON about samples in files that are too large to be held: where each one stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from input_iba.core.files import parse_json

BEGINNING = b'{"id": "'
"""Of a line as it is appended; within one it stands only where another line was cut off."""

_DECODER = json.JSONDecoder()

Place = tuple[int, int]
"""Number of the file, and the byte in which a line begins."""


class LogLines:
    """The lines of some files by the sample that they are about; a context manager.

    Attributes:
        head: What stands before all samples, None where nothing does.
        tidy: Whether there is only the first file, with one line for each sample, as appended.
    """

    def __init__(self, path: Path, others: Sequence[Path] = ()) -> None:
        self._paths = [path for path in (path, *others) if path.is_file()]
        self._streams: list[IO[bytes]] = []
        self._places: dict[str, list[Place]] = {}
        self.head: dict[str, Any] | None = None
        self.tidy = self._paths == [path]

    def __enter__(self) -> LogLines:
        try:
            for number, path in enumerate(self._paths):
                self._streams.append(path.open("rb"))
                self._find(number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for stream in self._streams:
            stream.close()

    @property
    def ids(self) -> list[str]:
        """The samples, in the order in which they are first met."""
        return list(self._places)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._places

    def about(self, id_: str) -> Iterator[bytes]:
        """Yield the lines about a sample, the last one first."""
        for number, start in reversed(self._places[id_]):
            self._streams[number].seek(start)
            yield self._streams[number].readline()

    def _find(self, number: int) -> None:
        start = 0
        for line in self._streams[number]:
            id_ = _id_of(line)
            self.tidy &= id_ not in self._places and line.endswith(b"}\n")
            if id_ is not None:
                self._places.setdefault(id_, []).append((number, start))
            elif self.head is None and not self._places:
                self.head = parsed(line) or None
                self.tidy &= self.head is not None
            else:
                self.tidy = False
            start += len(line)


def _id_of(line: bytes) -> str | None:
    """Return the sample that a line is about; None where it is about none, or was cut off."""
    if line.startswith(BEGINNING) and line.rfind(BEGINNING) == 0:
        try:
            # Escaped as JSON is, a line has no other character; what is none fails later.
            return str(_DECODER.raw_decode(line[: line.find(b'", "') + 1].decode("ascii"), 7)[0])
        except ValueError:
            pass
    values = parsed(line)
    return str(values["id"]) if {"id", "status"} <= values.keys() else None


def parsed(line: bytes) -> dict[str, Any]:
    """Return what a line holds; nothing where it is broken."""
    try:
        values = parse_json(line.decode("utf-8", "replace"))
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
