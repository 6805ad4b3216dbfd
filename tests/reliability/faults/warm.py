"""Commands as processes of their own, forked from one that has imported torch already.

A kill is a real one, and so is a resumed run; only the seconds of imports are saved. As a script
this file is the process that forks: it reads a JSON line per request and answers each.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
TIMEOUT = 120.0
"""Seconds within which every command here ends."""


class Warm:
    """The process that forks; a context manager."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.faults.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        )

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()
        self._server.communicate()

    def start(
        self,
        argv: Sequence[object],
        out: Path,
        *,
        faults: Sequence[Sequence[object]] = (),
        environment: Mapping[str, object] | None = None,
    ) -> Child:
        """Start `input-iba` with some arguments.

        Args:
            argv: Arguments.
            out: File that what it prints is added to.
            faults: Functions of `injected.py` with their arguments, called before the command.
            environment: More variables.
        """
        asked = {
            "argv": list(map(str, argv)),
            "out": str(out),
            "faults": [[name, *map(str, rest)] for name, *rest in faults],
            "environment": {key: str(value) for key, value in (environment or {}).items()},
        }
        return Child(self, int(self._ask(asked)), out)

    def run(self, argv: Sequence[object], out: Path, **how: Any) -> int:
        """Run a command to its end; return its status."""
        return self.start(argv, out, **how).wait()

    def status(self, pid: int) -> int | None:
        """Return how a child ended, as `subprocess` counts; None while it runs."""
        found = self._ask({"wait": pid})
        return None if found is None else int(found)

    def _ask(self, request: Mapping[str, Any]) -> Any:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())


@dataclass
class Child:
    """A command that runs; it can be signalled until `wait` has told its end."""

    warm: Warm
    pid: int
    out: Path

    def send(self, number: signal.Signals) -> None:
        """Send a signal, to a process that may have ended."""
        os.kill(self.pid, number)

    def send_all(self, number: signal.Signals) -> None:
        """Send a signal to the process and its children, as terminals and batch systems do."""
        os.killpg(self.pid, number)

    def wait(self, seconds: float = TIMEOUT) -> int:
        """Wait until it has ended; return its status, negative where a signal ended it."""
        deadline = time.monotonic() + seconds
        while (found := self.warm.status(self.pid)) is None:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
                raise AssertionError(f"it did not end within {seconds} s: {self.said}")
            time.sleep(0.005)
        return found

    def until(self, happened: Callable[[], object]) -> None:
        """Wait for something that happens while it runs."""
        deadline = time.monotonic() + TIMEOUT
        while not happened():
            assert self.warm.status(self.pid) is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.002)

    @property
    def said(self) -> str:
        """What was printed."""
        return self.out.read_text() if self.out.is_file() else ""


def serve() -> None:
    """Answer requests until there are no more."""
    for name in PRELOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            pid, status = os.waitpid(request["wait"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                os._exit(_command(request))
        print(json.dumps(answer), flush=True)


def _command(request: Mapping[str, Any]) -> int:
    """Be the command that was asked for, in a process group of its own."""
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in the background
    with Path(request["out"]).open("ab") as out:
        for stream in (1, 2):
            os.dup2(out.fileno(), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(request["environment"])
    from input_iba.cli.main import main
    from tests.reliability.faults import injected

    for name, *rest in request["faults"]:
        getattr(injected, name)(*rest)
    try:
        return main(request["argv"])
    except SystemExit as refused:
        return int(refused.code or 0)


PRELOADED = (
    "mmengine.dist",
    "torch.distributed.rendezvous",
    "input_iba.cli.main",
    "input_iba.cli.evaluate",
    "input_iba.cli.explain",
    "input_iba.cli.train",
    "input_iba.cli.vibi",
    "input_iba.commands.evaluate.run",
    "input_iba.commands.explain.run",
    "input_iba.training.data",
    "input_iba.training.run",
    "input_iba.training.run_explainer",
    "input_iba.vibi.commands.run",
    "scipy.ndimage",
    "matplotlib.pyplot",
)

if __name__ == "__main__":
    serve()
