"""Bounds of time and memory that hold for real, and what a reader may do within them."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from input_iba.errors import InputIBAError
from tests.reliability.conftest import sized

resource = pytest.importorskip("resource", reason="memory cannot be bounded here")
STATM = Path("/proc/self/statm")
if not STATM.is_file():
    pytest.skip("memory cannot be measured here", allow_module_level=True)

MAX_MESSAGE = 20_000
"""Characters of a message that somebody may still read."""

NO_MEMORY = re.compile(r"MemoryError|allocate|out of memory", re.IGNORECASE)

T = TypeVar("T")


class Hung(BaseException):
    """Something took too long; not an `Exception`, which a reader may catch."""


@contextmanager
def bounded(seconds: int = 20, megabytes: int = 512) -> Iterator[None]:
    """Refuse a block more memory than it may take, and end it when its time is over."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise Hung(f"not done after {seconds} s")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(STATM.read_text().split()[0]) * resource.getpagesize()
    handler = signal.signal(signal.SIGALRM, end)
    resource.setrlimit(resource.RLIMIT_AS, (taken + megabytes * 2**20, hard))
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, handler)


def readable(message: str, asked: bool = False) -> bool:
    """Return whether a message says something, and nothing that memory decided, unless `asked`."""
    return 0 < len(message) < MAX_MESSAGE and (asked or not NO_MEMORY.search(message))


def read_or_refused(
    read: Callable[[], T],
    errors: type[InputIBAError] = InputIBAError,
    *,
    seconds: int = 20,
    megabytes: int = 512,
    asked: bool = False,
) -> T | InputIBAError:
    """Return what is read, or the error that refuses it; anything else that is raised goes on.

    Memory may be what refuses it, if it was `asked` for.
    """
    with bounded(seconds, megabytes):
        try:
            return read()
        except errors as error:
            assert readable(str(error), asked), str(error)[:1000]
            return error


def tried(short: int, full: int) -> settings:
    """Return how a property is tried: always by the same cases, so that what failed comes again."""
    return settings(
        max_examples=sized(short, full),
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
