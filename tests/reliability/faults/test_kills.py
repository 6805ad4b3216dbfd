"""Killed at any moment, a command goes on to the same files bit for bit."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from input_iba.errors import InputIBAError
from input_iba.results import RowLog, WorkDir
from tests.cli.test_train_script import open_all
from tests.reliability.conftest import Evidence, sized
from tests.reliability.faults.commands import differing, epochs, units_left
from tests.reliability.faults.conftest import SAMPLES, Whole, Wholes
from tests.reliability.faults.warm import Child, Warm

SEED = 1
MOMENTS = {"attribute": sized(1, 50)}
"""Number of kills at random moments by command."""

CHANGES = {"attribute": sized(1, 20)}
"""Number of kills before random changes of files by command."""

OTHERS = sized((0, 1), (10, 10))
"""Number of both, of other commands."""

LEFT = "half-written files were left for ever"
FOUND = {
    **dict.fromkeys(("evaluate", "train vision", "train explainer"), LEFT),
    "vibi train": f"{LEFT}; after a kill behind its results it never was complete",
}
"""What kills of a command have found."""


Kill = Callable[[Warm, Whole, Path, int], Iterator[Path]]


def shares(number: int) -> Iterator[float]:
    """Yield places in a run at random, one of each of as many equal parts, and so on."""
    draws = random.Random(SEED)
    while True:
        places = [(i + draws.random()) / number for i in range(number)]
        yield from draws.sample(places, number)


def killed_by_clock(warm: Warm, whole: Whole, root: Path, number: int) -> Iterator[Path]:
    """Yield folders of runs, each killed after a share of the time of a whole one."""
    done = 0
    for i, share in enumerate(shares(number)) if number else ():
        work = root / f"time{i}"
        child = start(warm, whole, work)
        time.sleep(share * whole.seconds)
        child.send(signal.SIGKILL)
        if child.wait() == 0:
            continue  # it was faster than the first
        yield work
        done += 1
        if done == number:
            return


def killed_by_change(warm: Warm, whole: Whole, root: Path, number: int) -> Iterator[Path]:
    """Yield folders of runs, each killed just before it changed a file."""
    for share, i in zip(shares(number), range(number), strict=False):
        work = root / f"change{i}"
        place = 1 + int(share * whole.changes)
        assert start(warm, whole, work, ("die_at_change", work, place)).wait() == -signal.SIGKILL
        yield work


def kinds(name: str) -> list[tuple[Kill, int]]:
    """Return in which ways a command is killed, and how often."""
    moments, changes = OTHERS
    numbers = (MOMENTS.get(name, moments), CHANGES.get(name, changes))
    return [*zip((killed_by_clock, killed_by_change), numbers, strict=True)]


def tell(evidence: Evidence, what: str, name: str, came: str) -> None:
    """Keep what came of all kills of a command."""
    (_, moments), (_, changes) = kinds(name)
    evidence("Killed", f"{what}, at random moments", moments, came)
    evidence(
        "Killed", f"{what}, before random changes of files", changes, came, FOUND.get(name, "")
    )


def start(warm: Warm, whole: Whole, work: Path, *faults: tuple[object, ...]) -> Child:
    return warm.start(whole.command.argv(work), work.with_suffix(".txt"), faults=faults)


def resume(warm: Warm, whole: Whole, work: Path) -> str:
    """Go on with a killed run to its end; return what it said."""
    child = warm.start(whole.command.again(work), work.with_suffix(".resumed.txt"))
    assert child.wait() == 0, child.said
    return child.said


def finished(work: Path) -> set[str]:
    """Return the samples that a killed run had finished."""
    if (work / "result.rows.jsonl").is_file():
        return set(RowLog(work / "result.rows.jsonl").load())
    try:
        return set(WorkDir(work, resume=True).finished())
    except InputIBAError:  # killed before there was a manifest
        return set()


def times(work: Path, kept: set[str]) -> dict[Path, int]:
    """Return when the files of some samples were written."""
    return {p: p.stat().st_mtime_ns for p in work.rglob("*/*") if p.stem in kept}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sized(("attribute", "evaluate"), ("attribute", "baseline", "evaluate"))
)
def test_samples_are_explained_and_scored_once_whenever_the_process_is_killed(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence, name: str
) -> None:
    run = whole(name)
    for kill, number in kinds(name):
        for work in kill(warm, run, tmp_path, number):
            open_all(work)  # half a file would raise
            kept = finished(work)
            written = times(work, kept)
            left = units_left(resume(warm, run, work))
            assert differing(run.command.outcome(work), run.outcome) == [], work
            assert (left or 0) - (SAMPLES - len(kept)) in range(run.command.at_once), work
            assert times(work, kept) == written
            assert not [*work.rglob("*.part"), *work.rglob("*.lock")]
    came = "the same files bit for bit; nothing lost, at most the samples in flight done twice"
    tell(evidence, f"`{name}` of {SAMPLES} samples", name, came)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sized(("vibi train",), ("train vision", "train explainer", "vibi train"))
)
def test_a_training_ends_at_the_same_weights_whenever_it_is_killed(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence, name: str
) -> None:
    run = whole(name)
    for kill, number in kinds(name):
        for work in kill(warm, run, tmp_path, number):
            resumed = resume(warm, run, work)
            assert differing(run.command.outcome(work), run.outcome) == [], work
            done = epochs(work.with_suffix(".txt").read_text() + resumed)
            assert len(done) - len(set(done)) <= 1, done
            assert not [*work.rglob("*.part"), *work.rglob("*.lock")]
    tell(evidence, f"`{name}`", name, "the same weights bit for bit; at most an epoch done twice")
