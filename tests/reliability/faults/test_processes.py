"""Of several processes one dies or hangs: the others notice, and the run goes on bit for bit."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_train_script import assert_same_files
from tests.reliability.conftest import ONLY_IN_FULL, Evidence, sized
from tests.reliability.faults.commands import differing, prepare
from tests.reliability.faults.conftest import Wholes
from tests.reliability.faults.warm import Child, Warm

SECTION = "Several processes"
PATIENCE = 4.0
"""Seconds in place of half an hour."""

PLAIN = ("--device", "cpu", "--precision", "fp32")
LOST = "The processes of this run cannot go on together"
pytestmark = pytest.mark.slow


def together(
    warm: Warm,
    argv: Sequence[object],
    work: Path,
    count: int = 2,
    faults: Sequence[Sequence[object]] = (),
) -> list[Child]:
    """Start the processes of one run, as torchrun does, but that nobody watches them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    everywhere = {"WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [
        warm.start(
            [*argv, "--launcher", "pytorch"],
            work.with_suffix(f".rank{rank}.txt"),
            environment={"RANK": rank, "LOCAL_RANK": rank, **everywhere},
            faults=faults,
        )
        for rank in range(count)
    ]


def records(work: Path) -> list[Path]:
    return [*work.glob("records*.jsonl")]


@pytest.mark.parametrize("lost", sized((0,), (0, 1)))
@pytest.mark.parametrize(
    "number", sized((signal.SIGSTOP,), (signal.SIGKILL, signal.SIGSTOP)), ids=lambda n: n.name
)
def test_a_process_that_dies_or_hangs_is_noticed_by_the_other(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence, number: signal.Signals, lost: int
) -> None:
    run, work = whole("attribute"), tmp_path / "work"
    children = together(warm, run.command.argv(work), work, faults=[("lose_patience", PATIENCE)])
    children[lost].until(lambda: records(work))
    children[lost].send(number)
    begun = time.monotonic()
    left = children[1 - lost]
    assert left.wait() == 1, left.said
    # Its own share is done first; then it waits.
    assert time.monotonic() - begun < 4 * PATIENCE + run.seconds
    assert LOST in left.said, left.said
    assert "Traceback" not in left.said
    if number == signal.SIGSTOP:
        refused = tmp_path / "refused.txt"
        assert warm.run(run.command.again(work), refused) == 2  # it still holds its lock
        assert f"process {children[lost].pid} on" in refused.read_text()
        children[lost].send(signal.SIGKILL)
    children[lost].wait()
    out = tmp_path / "resumed.txt"
    assert warm.run(run.command.again(work), out) == 0, out.read_text()
    assert differing(run.command.outcome(work), run.outcome) == []
    how = "dies" if number == signal.SIGKILL else "hangs"
    came = f"noticed within the patience (here {PATIENCE:.0f} s, else 30 min); the same files"
    mended = "nobody said so" if number == signal.SIGKILL else "the other waited for ever"
    evidence(SECTION, f"process {lost} of two {how}", 1, came, "" if lost else mended)


@ONLY_IN_FULL
def test_a_process_that_hangs_before_the_first_sample_is_noticed(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence
) -> None:
    run, work = whole("attribute"), tmp_path / "work"
    children = together(warm, run.command.argv(work), work, faults=[("lose_patience", PATIENCE)])
    children[1].until((work / "log_file.rank1.lock").is_file)
    children[1].send(signal.SIGSTOP)
    assert children[0].wait() == 1
    assert LOST in children[0].said
    assert "Traceback" not in children[0].said
    children[1].send(signal.SIGKILL)
    children[1].wait()
    out = tmp_path / "resumed.txt"
    assert warm.run(run.command.again(work), out) == 0, out.read_text()
    assert differing(run.command.outcome(work), run.outcome) == []
    evidence(SECTION, "process 1 of two hangs in the statistics", 1, "noticed; the same files")


SIZES = (1, 2, 3)
"""Samples at once, of four."""


def of_four(root: Path) -> list[object]:
    """Return a command that explains four samples, without its folder."""
    return ["attribute", prepare(root, 4), *PLAIN]


@ONLY_IN_FULL
def test_the_last_bits_stay_the_same_however_often_a_process_is_killed(
    warm: Warm, tmp_path: Path, evidence: Evidence
) -> None:
    """Batches of all sizes, the last of them smaller; gone on with by one, two or three."""
    number, draws, start = 200, random.Random(7), of_four(tmp_path)
    wholes: dict[int, tuple[Path, float]] = {}
    for i in range(number):
        size, work = draws.choice(SIZES), tmp_path / f"work{i}"
        argv = [*start, "--samples-per-batch", size, "--work-dir"]
        if size not in wholes:
            begun, place = time.monotonic(), tmp_path / f"whole{size}"
            assert warm.run([*argv, place], tmp_path / "whole.txt") == 0
            wholes[size] = place, time.monotonic() - begun
        expected, seconds = wholes[size]
        pair = together(warm, [*argv, work], work)
        time.sleep(draws.uniform(0, seconds))
        pair[draws.choice((0, 1))].send(signal.SIGKILL)
        for child in pair:  # as torchrun does
            child.send(signal.SIGTERM)
        assert all(child.wait() in {-9, -15, 0, 1, 143} for child in pair), pair[0].said
        again, count = [*argv, work, "--resume"], draws.choice((1, 2, 3))
        if count == 1:
            assert warm.run(again, work.with_suffix(".txt")) == 0
        else:
            assert {c.wait() for c in together(warm, again, work, count)} == {0}
        assert_same_files(work, expected)
        shutil.rmtree(work)
    came = "equal bit for bit each time"
    evidence(SECTION, "a process of two killed, and the run gone on with", number, came)


@ONLY_IN_FULL
@pytest.mark.parametrize("what", ["threads", "batches"])
def test_what_does_change_last_bits(
    warm: Warm, tmp_path: Path, evidence: Evidence, what: str
) -> None:
    """Runs are continued with the same batches, and each process with as many threads."""
    start, masks = of_four(tmp_path), []
    for number in (1, 2):
        work = tmp_path / f"{number}"
        size, faults = (2, [("use_threads", number)]) if what == "threads" else (number, [])
        argv = [*start, "--samples-per-batch", size, "--work-dir", work]
        assert warm.run(argv, tmp_path / "out.txt", faults=faults) == 0
        masks.append([np.load(path)["mask"] for path in sorted(work.glob("input_masks/*.npz"))])
    furthest = max(float(np.abs(a - b).max()) for a, b in zip(*masks, strict=True))
    assert furthest < 1e-3
    evidence(SECTION, f"1 and 2 {what}, compared", 1, f"masks up to {furthest:.1g} apart")
