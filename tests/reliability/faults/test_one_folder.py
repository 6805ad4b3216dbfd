"""Two runs never write to one folder, and a run that is gone is in nobody's way."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.reliability.conftest import ONLY_IN_FULL, Evidence, sized
from tests.reliability.faults.commands import differing
from tests.reliability.faults.conftest import Wholes
from tests.reliability.faults.warm import Child, Warm

SECTION = "Two runs in one folder"
LOCKS = {"evaluate": "result.lock"}
"""Files of locks, but for `log_file.lock`."""

SEVERAL = sized(("attribute",), ("attribute", "evaluate", "train vision", "vibi train"))


def stopped(warm: Warm, whole: Wholes, name: str, work: Path) -> Child:
    """Return a run that holds its folder, and stands still."""
    command = whole(name).command
    child = warm.start(command.argv(work), work.with_suffix(".first.txt"))
    lock = work / LOCKS.get(name, "log_file.lock")
    child.until(lambda: lock.is_file() and lock.stat().st_size > 0)
    child.send(signal.SIGSTOP)
    return child


@pytest.mark.slow
@pytest.mark.parametrize("name", SEVERAL)
def test_a_second_run_is_told_who_writes_there(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence, name: str
) -> None:
    command, work = whole(name).command, tmp_path / "work"
    first = stopped(warm, whole, name, work)
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*")}
    out = tmp_path / "second.txt"
    assert warm.run(command.again(work), out) == 2
    said = out.read_text()
    assert f"Another run writes to '{work}': process {first.pid} on {os.uname().nodename}" in said
    assert "Traceback" not in said
    assert {path: path.stat().st_mtime_ns for path in work.rglob("*")} == before
    first.send(signal.SIGCONT)
    assert first.wait() == 0
    assert differing(command.outcome(work), whole(name).outcome) == []
    assert not [*work.glob("*.lock")]
    came, mended = "refused, with the holder's name", "nothing kept two runs apart"
    evidence(SECTION, f"a second `{name}` while one runs", 1, came, mended)


@pytest.mark.slow
def test_the_lock_of_a_dead_run_is_taken_over(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence
) -> None:
    run, work = whole("attribute"), tmp_path / "work"
    first = stopped(warm, whole, "attribute", work)
    first.send(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert (work / "log_file.lock").is_file()
    out = tmp_path / "second.txt"
    assert warm.run(run.command.again(work), out) == 0, out.read_text()
    assert differing(run.command.outcome(work), run.outcome) == []
    evidence(SECTION, "`--resume` after a kill that left a lock", 1, "takes the lock over")


@ONLY_IN_FULL
def test_of_runs_that_begin_together_one_writes(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence
) -> None:
    run, many = whole("attribute"), sized(3, 8)
    work, outs = tmp_path / "work", [tmp_path / f"{i}.txt" for i in range(many)]
    children = [warm.start(run.command.again(work), out) for out in outs]
    assert sorted(child.wait() for child in children) == [0] + [2] * (many - 1)
    assert differing(run.command.outcome(work), run.outcome) == []
    assert json.loads((work / "manifest.json").read_text())["resumed"] == []
    evidence(SECTION, "runs that begin at the same time", many, "one writes, all others end")
