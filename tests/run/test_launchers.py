"""What torchrun and Slurm say, what is wrong when they do not, and how SIGTERM ends a run."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping

import pytest

from input_iba.errors import ConfigError, ProcessError
from input_iba.run.launch import launch
from input_iba.run.launchers import (
    Launcher,
    Terminated,
    address_by_slurm,
    finishing,
    ignore_termination,
    speaks,
    terminable,
)


def test_torchrun_without_the_option_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, said in (("0", False), ("1", True)):
        monkeypatch.setenv("RANK", rank)
        with pytest.raises((ConfigError, ProcessError), match="--launcher pytorch") as caught:
            launch("none").__enter__()
        assert (caught.value.said, caught.value.usage) == (said, True)


@pytest.mark.parametrize(("launcher", "variable"), [("pytorch", "RANK"), ("slurm", "SLURM_PROCID")])
def test_the_option_without_the_launcher_is_refused(
    monkeypatch: pytest.MonkeyPatch, launcher: Launcher, variable: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigError, match=f"(?s)--launcher {launcher}.*no {variable}.*Start it as"):
        launch(launcher).__enter__()


@pytest.mark.parametrize(
    ("environment", "arguments", "expected"),
    [
        ({}, ["c.py"], True),
        ({"RANK": "1"}, ["c.py"], True),  # of something else than torchrun
        ({"TORCHELASTIC_RUN_ID": "x", "RANK": "0"}, ["c.py"], True),
        ({"TORCHELASTIC_RUN_ID": "x", "RANK": "1"}, ["c.py"], False),
        ({"SLURM_PROCID": "1"}, ["c.py"], True),
        ({"SLURM_PROCID": "1"}, ["c.py", "--launcher", "slurm"], False),
        ({"SLURM_PROCID": "0"}, ["c.py", "--launcher=slurm"], True),
    ],
)
def test_of_many_processes_the_first_speaks(
    environment: Mapping[str, str], arguments: list[str], expected: bool
) -> None:
    assert speaks(arguments, environment) is expected


def test_slurm_says_where_the_first_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address_by_slurm({"SLURM_JOB_NODELIST": "node7"}) == ("node7", 15000)
    job = {"SLURM_JOB_ID": "30007", "SLURM_JOB_NODELIST": "gpu[3-4]"}
    assert address_by_slurm({**job, "MASTER_ADDR": "x", "MASTER_PORT": "5"}) == ("x", 5)

    def scontrol(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command == ["scontrol", "show", "hostnames", "gpu[3-4]"]
        return subprocess.CompletedProcess(command, 0, "gpu3\ngpu4\n")

    monkeypatch.setattr(subprocess, "run", scontrol)
    assert address_by_slurm(job) == ("gpu3", 15007)

    def missing(command: list[str], **_: object) -> None:
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(subprocess, "run", missing)
    with pytest.raises(ConfigError, match=r"gpu\[3-4\].*Set MASTER_ADDR"):
        address_by_slurm(job)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    earlier = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, earlier)


def test_a_request_to_end_is_raised_within_and_the_handler_restored() -> None:
    earlier = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), terminable():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is earlier


def test_what_ends_anyway_ignores_the_request_from_then_on() -> None:
    with terminable():
        ignore_termination()
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
def test_what_is_in_flight_is_finished_first(
    number: signal.Signals, kind: type[BaseException]
) -> None:
    said, done = list[str](), list[str]()
    with pytest.raises(kind) as caught, terminable(), finishing("a sample", said.append):
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)  # torchrun's, of the same key
        done.append("sample")
    assert type(caught.value) is kind
    assert done == ["sample"]
    assert said == ["Ends after a sample; asked once more, it ends at once."]


def test_who_asks_twice_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("input_iba.run.launchers.AGAIN", 0.0)
    with pytest.raises(Terminated), terminable(), finishing("a sample", lambda _: None):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("it went on")


def test_what_fails_after_a_request_to_end_may_end_at_once() -> None:
    with pytest.raises(Terminated), terminable(), finishing("a sample", lambda _: None) as end:
        end()
        os.kill(os.getpid(), signal.SIGTERM)
        end()
        pytest.fail("it went on")


def test_readers_that_were_ended_too_are_no_error() -> None:
    with pytest.raises(Terminated), terminable(), finishing("a sample", lambda _: None):
        os.kill(os.getpid(), signal.SIGTERM)
        raise RuntimeError("DataLoader worker is killed by signal: Terminated.")


def test_an_error_comes_before_a_request_to_end() -> None:
    with pytest.raises(ValueError), terminable(), finishing("a sample", lambda _: None):
        os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError
