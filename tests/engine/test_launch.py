"""Processes of one run: shares, going on together or not at all, and how they are started."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.engine import launch as module
from input_iba.engine.explain import batches_to_do
from input_iba.engine.launch import LAUNCHERS, Processes, launch, speaks
from input_iba.errors import ConfigError, ProcessError
from tests.engine.threads import play


@given(st.lists(st.integers()), st.integers(1, 9))
def test_shares_are_a_balanced_partition_in_order(items: list[int], world_size: int) -> None:
    shares = [Processes(rank, world_size).share(items) for rank in range(world_size)]
    assert sorted(chain(*shares)) == sorted(items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    rounds = [shares[i % world_size][i // world_size] for i in range(len(items))]
    assert rounds == items


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4), st.data())
def test_what_is_left_is_shared_in_the_same_batches_by_any_number(
    count: int, size: int, before: int, now: int, data: st.DataObject
) -> None:
    ids = [f"s{i}" for i in range(count)]
    whole = batches_to_do(ids, ids, size, frozenset())
    done = data.draw(st.sets(st.sampled_from(range(len(whole)))))
    assert sorted(chain(*(Processes(r, before).share(whole) for r in range(before)))) == whole
    finished = frozenset(ids[i] for batch in done for i in whole[batch])
    left = batches_to_do(ids, ids, size, finished)
    shares = [Processes(rank, now).share(left) for rank in range(now)]
    assert sorted(chain(*shares)) == [whole[i] for i in range(len(whole)) if i not in done]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_process_is_alone() -> None:
    with launch("none") as processes, processes.together():
        assert processes == Processes()
        assert processes.is_main
        assert processes.from_main(lambda: 3) == 3
        assert processes.all_gather("x") == ["x"]


def test_values_come_in_rank_order_and_from_the_first() -> None:
    def part(processes: Processes) -> tuple[list[int], int]:
        return processes.all_gather(processes.rank), processes.from_main(lambda: processes.rank + 7)

    assert play(3, part) == [([0, 1, 2], 7)] * 3


def failing(*ranks: int, error: type[Exception] = ConfigError) -> list[str | Exception]:
    def part(processes: Processes) -> str:
        with processes.together():
            if processes.rank in ranks:
                raise error(f"wrong in {processes.rank}")
        return "went on"

    return play(3, part)


def test_where_nothing_fails_all_go_on() -> None:
    assert failing() == ["went on"] * 3


def test_an_error_ends_all_and_one_says_it() -> None:
    first, second, third = failing(1, 2)
    assert isinstance(second, ConfigError)
    assert isinstance(first, ProcessError)
    assert isinstance(third, ProcessError)
    assert [error.said for error in (first, second, third)] == [True, False, True]
    assert all(error.usage for error in (first, second, third))
    assert str(first) == str(third) == "Process 1: wrong in 1"


def test_an_unexpected_error_ends_all_as_one() -> None:
    first, second, third = failing(0, error=ZeroDivisionError)
    assert isinstance(first, ZeroDivisionError)
    for error in (second, third):
        assert isinstance(error, ProcessError)
        assert (error.said, error.usage) == (True, False)


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
    monkeypatch: pytest.MonkeyPatch, launcher: module.Launcher, variable: str
) -> None:
    assert launcher in LAUNCHERS
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
    assert module._slurm_address({"SLURM_JOB_NODELIST": "node7"}) == ("node7", 15000)
    job = {"SLURM_JOB_ID": "30007", "SLURM_JOB_NODELIST": "gpu[3-4]"}
    assert module._slurm_address({**job, "MASTER_ADDR": "x", "MASTER_PORT": "5"}) == ("x", 5)

    def scontrol(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command == ["scontrol", "show", "hostnames", "gpu[3-4]"]
        return subprocess.CompletedProcess(command, 0, "gpu3\ngpu4\n")

    monkeypatch.setattr(subprocess, "run", scontrol)
    assert module._slurm_address(job) == ("gpu3", 15007)

    def missing(command: list[str], **_: object) -> None:
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(subprocess, "run", missing)
    with pytest.raises(ConfigError, match=r"gpu\[3-4\].*Set MASTER_ADDR"):
        module._slurm_address(job)
