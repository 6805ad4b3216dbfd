"""Write files whole or not at all: aside in the same folder, then rename; read JSON of anybody."""

from __future__ import annotations

import errno
import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Protocol

PART_SUFFIX = ".part"

BUSY = frozenset({errno.EACCES, errno.EBUSY, errno.EPERM, errno.ESTALE, errno.ETXTBSY})
"""What a file system of a network answers while somebody has the file open, or looks it up anew."""

PAUSES = (0.02, 0.1, 0.3, 0.6)
"""Seconds between attempts to rename a file."""


class Readable(Protocol):
    """What is read from its beginning to its end: a file, or a part of one."""

    @property
    def suffix(self) -> str:
        """Return the ending of its name, with the dot."""

    def open(self, mode: Literal["rb"]) -> IO[bytes]:
        """Open it for reading."""


@dataclass(frozen=True)
class Held:
    """What was read already, under the name that messages call it."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        """Return the ending of its name."""
        return Path(self.name).suffix

    def open(self, mode: Literal["rb"] = "rb") -> IO[bytes]:
        """Return it as a file."""
        return io.BytesIO(self.content)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Lend a path to write to; it becomes `path` when the block ends without an error.

    A reader sees the old file or the new one, never a part of it, even when the process is
    killed. What a killed process leaves behind ends in `.part`. A missing folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The temporary name is short and independent of the file's: a name of the greatest length
    # that the file system allows could not grow.
    aside = path.parent / f".{abs(hash(path.name)):x}-{os.getpid()}{PART_SUFFIX}"
    try:
        yield aside
        _rename(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _rename(aside: Path, path: Path) -> None:
    """Rename a file; try again for a moment where a file system of a network does not let it."""
    for pause in PAUSES:
        try:
            aside.replace(path)
        except OSError as error:
            if error.errno not in BUSY:
                raise
            time.sleep(pause)
        else:
            return
    aside.replace(path)


def read_json(path: Path) -> Any:
    """Return what a file of JSON holds.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not JSON in UTF-8.
    """
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str) -> Any:
    """Return what a text in JSON holds, or raise a `ValueError`.

    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: nested too deeply
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def remove_parts(folder: Path, below: bool = True) -> int:
    """Delete what killed processes left half-written in `folder`, or below; return how many."""
    parts: list[Path] = []
    for at, _, names in os.walk(folder):  # of a large run in a second, which rglob takes ten for
        parts += [Path(at, n) for n in names if n.startswith(".") and n.endswith(PART_SUFFIX)]
        if not below:
            break
    for path in parts:
        path.unlink(missing_ok=True)
    return len(parts)
