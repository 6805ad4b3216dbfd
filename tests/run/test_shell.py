"""The shell of runs: chosen, seeded, logged, and ended in order."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch

from input_iba.errors import ConfigError, DataError
from input_iba.run.launch import Processes
from input_iba.run.launchers import Terminated
from input_iba.run.options import RunOptions
from input_iba.run.shell import logging_to, opened

CPU = RunOptions(device="cpu", precision="fp32")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "work" / "log_file.log"


def test_a_run_knows_what_it_computes_on(log: Path) -> None:
    drawn = []
    for _ in range(2):
        with opened(log, CPU, seed=3) as run:
            drawn.append(torch.rand(4))
    assert (run.device, run.autocast, run.precision) == (torch.device("cpu"), None, "fp32")
    assert (run.where, run.seed, run.processes.is_main) == ("cpu", 3, True)
    assert torch.equal(*drawn)


def test_warnings_go_to_terminal_and_file(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(log, CPU, seed=0, warnings=["a key is dead"]):
        pass
    assert "warning: a key is dead" in capsys.readouterr().err
    assert "a key is dead" in log.read_text()


def test_a_wrong_device_is_an_error_that_the_log_holds(log: Path) -> None:
    with (
        pytest.raises(ConfigError, match="Unknown --device"),
        opened(log, RunOptions(device="tpu"), seed=0),
    ):
        pass
    assert "Ended by an error: Unknown --device" in log.read_text()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DataError("no such folder"), "Ended by an error: no such folder"),
        (RuntimeError("a fault"), "Traceback"),
    ],
)
def test_what_ended_a_run_stands_in_the_file_only(
    log: Path, capsys: pytest.CaptureFixture[str], error: Exception, said: str
) -> None:
    with pytest.raises(type(error)), opened(log, CPU, seed=0):
        raise error
    assert said in log.read_text()
    assert said not in capsys.readouterr().err


def test_a_request_to_end_says_how_to_continue(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Terminated), opened(log, CPU, seed=0, resume="--go-on"):
        os.kill(os.getpid(), signal.SIGTERM)
    assert "continue with --go-on" in capsys.readouterr().err


def test_another_process_is_silent(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Processes(1, 2, 0, lambda value: [value, value])
    with opened(log, CPU, other, seed=0, warnings=["a key is dead"]) as run:
        assert run.where == "cpu, 2 processes"
    assert capsys.readouterr().err == ""
    assert not log.exists()


def test_what_killed_runs_left_is_removed_unless_another_run_is_at_work(log: Path) -> None:
    log.parent.mkdir()
    part, other = log.with_name(".0-1.part"), log.with_name("result.lock")
    for path in (part, other):
        path.touch()
    with opened(log, CPU, seed=0):
        pass
    assert part.exists()
    other.unlink()
    with opened(log, CPU, seed=0):
        assert not part.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="is the disk that is full")
def test_a_log_that_cannot_be_written_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to(Path("/dev/full")) as logger:
        logger.info("a line")
    assert capsys.readouterr().err == "a line\n"
