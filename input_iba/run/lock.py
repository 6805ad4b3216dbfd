"""One run at a time writes to a folder: a lock that ends with the process that holds it."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from glob import escape
from pathlib import Path
from typing import BinaryIO

from input_iba.errors import ResumeError

HELD = frozenset({errno.EACCES, errno.EAGAIN})
"""What the system answers where another process holds a lock; anything else: it knows no locks."""


@contextmanager
def locked(log: Path, *, first: bool = True) -> Iterator[None]:
    """Hold the lock beside a log while the block runs; it is the run's that writes this log.

    The system frees the lock of a process that ends, however it ends, so a file that a killed run
    left is taken over. Nothing is locked where the file system, or Windows, knows no such locks.

    Args:
        log: Of a process of the run; each process holds a lock of its own, `log_file.rank1.lock`.
        first: Whether this is the run's first process, which sees to it that no process of an
            earlier run is left.

    Raises:
        ResumeError: Another run writes there; the message says where it runs, and since when.
    """
    path = log.with_suffix(".lock")
    log.parent.mkdir(parents=True, exist_ok=True)
    stream = _taken(path)
    try:
        for other in path.parent.glob(f"{escape(path.stem)}.rank*.lock") if first else ():
            _taken(other).close()
            other.unlink(missing_ok=True)
        yield
    finally:
        # Removed while it is held: who opened it meanwhile finds out in `_taken`.
        with suppress(OSError):
            path.unlink()
        stream.close()


def _taken(path: Path) -> BinaryIO:
    """Return the open file of a lock that is held until it is closed."""
    while True:
        stream = path.open("a+b", buffering=0)
        try:
            _lock(stream, path)
            if path.exists() and os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                stream.truncate(0)
                stream.write(_this_process().encode())
                return stream
        except BaseException:
            stream.close()
            raise
        stream.close()  # the run before has just ended, and removed the file


def _lock(stream: BinaryIO, path: Path) -> None:
    try:
        import fcntl  # not there on Windows

        # Of lockf's kind, which children such as those that read data do not inherit.
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return
    except OSError as error:
        if error.errno not in HELD:
            return
        stream.seek(0)
        holder = stream.read().decode(errors="replace") or "one that has just begun"
        raise ResumeError(
            f"Another run writes to '{path.parent}': {holder} (lock '{path.name}'). Wait until it "
            "has ended, or choose another folder."
        ) from error


def _this_process() -> str:
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return f"process {os.getpid()} on {socket.gethostname()}, since {now}"
