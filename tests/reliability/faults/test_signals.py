"""SIGTERM and the interrupt key end a command after what is in flight, and it goes on later."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from input_iba.results import RecordLog
from tests.reliability.conftest import ONLY_IN_FULL, Evidence, sized
from tests.reliability.faults.commands import AT_ONCE, differing
from tests.reliability.faults.conftest import Whole, Wholes
from tests.reliability.faults.warm import Child, Warm

STATUS = {signal.SIGTERM: 143, signal.SIGINT: 130}
TRIED = sized(1, 5)
SAMPLED = ("attribute", "baseline", "evaluate")
NAMES = sized(("attribute",), (*SAMPLED, "train vision", "train explainer"))


def begun(work: Path) -> bool:
    return any(work.glob("*.log"))


def ended(
    warm: Warm, whole: Whole, root: Path, number: signal.Signals
) -> Iterator[tuple[Path, Child]]:
    """Yield folders of runs that were asked to end at random moments, and their processes."""
    draws, done = random.Random(int(number)), 0
    for i in count():
        work = root / f"{number.name}{i}"
        child = warm.start(whole.command.argv(work), work.with_suffix(".txt"))
        child.until(partial(begun, work))  # what comes before is Python's
        time.sleep(0.05 + draws.uniform(0, 0.8) * whole.seconds / (1 + i - done))
        child.send(number)
        status = child.wait()
        if status == 0:
            continue  # it had just ended
        assert status == STATUS[number], child.said
        yield work, child
        done += 1
        if done == TRIED:
            return


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", sized([signal.SIGTERM], list(STATUS)), ids=lambda number: number.name
)
@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_is_asked_to_end_finishes_what_is_in_flight(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence, name: str, number: signal.Signals
) -> None:
    run = whole(name)
    for work, child in ended(warm, run, tmp_path, number):
        assert (
            f"Interrupted. What is done is kept: continue with {run.command.resume}" in child.said
        )
        assert "Traceback" not in child.said
        assert not [*work.rglob("*.part"), *work.rglob("*.lock")]
        if run.command.at_once == AT_ONCE:
            assert len(RecordLog(work / "records.jsonl").load()) % AT_ONCE == 0
        assert warm.run(run.command.again(work), work.with_suffix(".txt")) == 0
        assert differing(run.command.outcome(work), run.outcome) == [], work
    inflight = "after the samples in flight" if name in SAMPLED else "at once"
    mended = "samples in flight were given up; " if name in SAMPLED else ""
    mended += "a signal while the config was laid out as text was taken for a wrong config"
    evidence(
        "Asked to end",
        f"`{name}`, {number.name}",
        TRIED,
        f"status {STATUS[number]}, {inflight}; goes on to the same files",
        mended,
    )


@pytest.mark.slow
@ONLY_IN_FULL
@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_processes_that_read_may_be_asked_to_end_too(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence, number: signal.Signals
) -> None:
    """The samples in flight are given up where a reader's end disturbs them."""
    run, draws = whole("attribute"), random.Random(3)
    readers = ("--cfg-options", "data.data_loader.num_workers=2")
    for i in range(TRIED):
        work = tmp_path / f"work{i}"
        child = warm.start([*run.command.argv(work), *readers], work.with_suffix(".txt"))
        child.until((work / "feature_statistics.npz").is_file)
        time.sleep(draws.uniform(0, 0.5) * run.seconds)
        child.send_all(number)
        assert child.wait() == STATUS[number], child.said
        assert "Traceback" not in child.said
        assert "one by one" not in (work / "log_file.log").read_text()
        assert warm.run([*run.command.again(work), *readers], work.with_suffix(".txt")) == 0
        assert differing(run.command.outcome(work), run.outcome) == [], work
    what = f"`attribute` and the processes that read for it, {number.name}"
    evidence("Asked to end", what, TRIED, f"status {STATUS[number]}; goes on to the same files")
