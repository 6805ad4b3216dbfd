"""The process that forks commands, and data for them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.reliability.conftest import sized
from tests.reliability.faults import commands
from tests.reliability.faults.commands import Command, Outcome
from tests.reliability.faults.warm import Warm

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]
"""Forks, signals and mounts are Linux's here."""

SAMPLES = sized(4, 40)


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Return what forks commands."""
    with Warm() as process:
        yield process


@dataclass(frozen=True)
class Whole:
    """A command, and what an uninterrupted run of it left.

    Attributes:
        changes: How often it changed a file.
    """

    command: Command
    work: Path
    outcome: Outcome
    seconds: float
    changes: int


class Wholes:
    """Uninterrupted runs, each made once."""

    def __init__(self, warm: Warm, root: Path) -> None:
        self._warm, self.root = warm, root
        self.config = commands.prepare(root, SAMPLES)
        self._done: dict[str, Whole] = {}

    def __call__(self, name: str) -> Whole:
        """Return the uninterrupted run of a command."""
        if name not in self._done:
            self._done[name] = self._run(self._command(name))
        return self._done[name]

    def _command(self, name: str) -> Command:
        if name == "evaluate":
            return commands.evaluate(self.config, self("attribute").work)
        if name == "vibi train":
            return commands.train_vibi(self.root / "bright")
        return {
            "attribute": commands.attribute,
            "baseline": commands.baseline,
            "train vision": commands.train_classifier,
            "train explainer": commands.train_explainer,
        }[name](self.config)

    def _run(self, command: Command) -> Whole:
        work, out, count = (self.root / f"{command.name}{end}" for end in ("", ".txt", ".count"))
        child = self._warm.start(command.argv(work), out, faults=[("count_changes", work, count)])
        begun = time.monotonic()
        assert child.wait() == 0, child.said
        seconds = time.monotonic() - begun
        return Whole(command, work, command.outcome(work), seconds, count.stat().st_size)


@pytest.fixture(scope="session")
def whole(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Wholes:
    """Return uninterrupted runs by name."""
    return Wholes(warm, tmp_path_factory.mktemp("whole"))
