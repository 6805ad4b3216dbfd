"""What is done to a process before its command begins; see `Warm.start`."""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.rename", "os.remove", "os.mkdir"}


def _changes(folder: str, act: Callable[[str, str], object]) -> None:
    """Call `act` with event and path before each change of files in a folder."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not (isinstance(flags, int) and flags & WRITING):
                return
        elif event == "os.rename":
            path = arguments[1]
        elif event in CHANGES:
            path = arguments[0]
        else:
            return
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(folder):
            act(event, os.fspath(path))

    sys.addaudithook(hook)


def count_changes(folder: str, file: str) -> None:
    """Write a byte to a file before each change of files in a folder."""
    out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _changes(folder, lambda *_: os.write(out, b"."))


def die_at_change(folder: str, number: str) -> None:
    """Kill the process before a change of files in a folder; they count from 1."""
    count = itertools.count(1)

    def act(*_: str) -> None:
        if next(count) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    _changes(folder, act)


def refuse_renames(folder: str, number: str, times: str) -> None:
    """Refuse each rename as often as `times` says, with an error's number."""
    left: dict[str, int] = {}

    def act(event: str, path: str) -> None:
        if event == "os.rename":
            left[path] = left.get(path, int(times)) - 1
            if left[path] >= 0:
                raise OSError(int(number), os.strerror(int(number)), path)

    _changes(folder, act)


def refuse_renames_of(folder: str, part: str) -> None:
    """Refuse every rename to a path that has some part in it, as where a file is held open."""

    def act(event: str, path: str) -> None:
        if event == "os.rename" and part in path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    _changes(folder, act)


def drop_privileges() -> None:
    """Let modes of files concern root, too."""
    if os.getuid() == 0:
        version, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert ctypes.CDLL(None).capset(version, nothing) == 0  # see capset(2)


def jump_clock(seed: str) -> None:
    """Let the clock jump by up to a year, back and forth, whenever it is asked."""
    draws = random.Random(int(seed))
    now = time.time
    time.time = lambda: now() + draws.uniform(-3e7, 3e7)

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=draws.uniform(-3e7, 3e7))

    from input_iba.results import manifest
    from input_iba.run import lock

    for module in (manifest, lock):
        vars(module)["datetime"] = Jumping


def lose_patience(seconds: str) -> None:
    """Let processes give each other up after some seconds, not half an hour."""
    from input_iba.run import launch
    from input_iba.run.heartbeat import Heartbeat

    launch.PATIENCE = launch.ARRIVAL = float(seconds)
    assert Heartbeat.__init__.__kwdefaults__ is not None
    Heartbeat.__init__.__kwdefaults__["patience"] = float(seconds)


def use_threads(count: str) -> None:
    """Compute with some threads."""
    import torch

    torch.set_num_threads(int(count))
