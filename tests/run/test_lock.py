"""The lock of a folder: taken, freed, and done without where the system has none."""

from __future__ import annotations

import errno
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from input_iba.errors import ResumeError
from input_iba.run.lock import locked

fcntl = pytest.importorskip("fcntl")


def try_to_lock(log: Path, answers: Any) -> None:
    try:
        with locked(log):
            answers.put("")
    except ResumeError as error:
        answers.put(str(error))


def elsewhere(log: Path) -> str:
    """Return what another process is told that wants the lock; empty where it gets it."""
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=try_to_lock, args=(log, answers))
    process.start()
    said: str = answers.get()
    process.join()
    return said


def test_one_process_has_the_lock_and_leaves_nothing(tmp_path: Path) -> None:
    log = tmp_path / "new" / "log_file.log"
    with locked(log):
        assert "Another run writes to" in elsewhere(log)
        assert elsewhere(tmp_path / "new" / "result.log") == ""  # another result, beside it
    assert list((tmp_path / "new").iterdir()) == []
    assert elsewhere(log) == ""


def test_a_run_waits_for_no_process_that_is_left_of_another(tmp_path: Path) -> None:
    log, second = tmp_path / "log_file.log", tmp_path / "log_file.rank1.log"
    with locked(second, first=False):
        assert "log_file.rank1.lock" in elsewhere(log)
        assert elsewhere(tmp_path / "log_file.rank2.log") == ""
    assert elsewhere(log) == ""


def test_what_a_dead_process_left_is_taken_over(tmp_path: Path) -> None:
    for name in ("log_file.lock", "log_file.rank3.lock"):
        (tmp_path / name).write_text("process 1 on a machine that is gone")
    with locked(tmp_path / "log_file.log"):
        assert "machine that is gone" not in (tmp_path / "log_file.lock").read_text()
    assert list(tmp_path.iterdir()) == []


def test_where_there_are_no_locks_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lockf(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", lockf)
    with locked(tmp_path / "log_file.log"):
        pass
