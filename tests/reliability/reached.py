"""What each test reaches of some files, found in a fork of the process that collected the tests."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

Line = tuple[str, int]


@dataclass(frozen=True)
class Run:
    """What a test did without a mutant: whether it passed, how long it took, what it reached."""

    passed: bool
    seconds: float
    lines: frozenset[Line]


def in_fork(work: Callable[[], Any], seconds: float) -> Any:
    """Return what a function returns in a fork of this process; None where that dies or hangs."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            with os.fdopen(write, "wb") as stream:
                pickle.dump(work(), stream)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        found = stream.read()
    os.waitpid(child, 0)
    return pickle.loads(found) if found else None


def baseline(items: Sequence[pytest.Item], names: frozenset[str]) -> tuple[list[Run], list[str]]:
    """Return how each test runs without a mutant, and which modules they import."""
    runs, known = [], set(sys.modules)
    for place, item in enumerate(items):
        reached: set[Line] = set()
        following = items[place + 1] if place + 1 < len(items) else None
        begun = time.perf_counter()
        sys.settrace(_tracer(names, reached))
        reports = runtestprotocol(item, log=False, nextitem=following)
        sys.settrace(None)
        passed = all(report.passed for report in reports)
        runs.append(Run(passed, time.perf_counter() - begun, frozenset(reached)))
    return runs, sorted(set(sys.modules) - known)


def _tracer(names: frozenset[str], reached: set[Line]) -> Callable[..., Any]:
    def inside(frame: FrameType, event: str, argument: object) -> Any:
        reached.add((frame.f_code.co_filename, frame.f_lineno))
        return inside

    def entered(frame: FrameType, event: str, argument: object) -> Any:
        return inside if frame.f_code.co_filename in names else None

    return entered


def load(name: str) -> None:
    """Import a module, or say why it cannot be."""
    try:
        import_module(name)
    except Exception as error:  # a module that a test made, say
        print(f"not imported: {name}: {error!r}", file=sys.stderr)
