"""What the system refuses ends a run with one clear line, and nothing is lost."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.test_train_script import open_all
from tests.reliability.conftest import ONLY_IN_FULL, Evidence, sized
from tests.reliability.faults.commands import AT_ONCE, complete, differing, units_left
from tests.reliability.faults.conftest import SAMPLES, Whole, Wholes
from tests.reliability.faults.test_kills import finished
from tests.reliability.faults.warm import Warm

SECTION = "Refused by the system"
pytestmark = pytest.mark.slow


@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """Mount something on a folder, or skip where that is not allowed."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", *arguments, str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"mount is refused: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def goes_on(warm: Warm, run: Whole, work: Path, out: Path) -> None:
    """Go on with a run that failed; nothing that was done is lost or done again."""
    kept = finished(work)
    out.unlink()
    assert warm.run(run.command.again(work), out) == 0, out.read_text()
    left = units_left(out.read_text())
    assert left is None or left - (SAMPLES - len(kept)) in range(run.command.at_once)
    assert differing(run.command.outcome(work), run.outcome) == []


def one_line(said: str, *parts: str) -> None:
    """Check that a run ended with one line that says what is wrong."""
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, said
    assert all(part in lines[0] for part in parts), lines
    assert "Traceback" not in said and "Logging error" not in said, said


@pytest.mark.parametrize("name", sized(("attribute",), ("attribute", "evaluate", "train vision")))
def test_a_full_disk(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence, name: str
) -> None:
    run = whole(name)
    used = sum(path.stat().st_size for path in run.work.rglob("*") if path.is_file())
    disk, out = tmp_path / "disk", tmp_path / "out.txt"
    sizes = [used * share // 8 for share in sized((3,), (1, 2, 3, 4, 5, 6, 7))]
    for size in sizes:
        with mounted(disk, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
            work = disk / "work"
            assert warm.run(run.command.argv(work), out) == 1, out.read_text()
            one_line(out.read_text(), os.strerror(errno.ENOSPC), "What is done is kept")
            open_all(work)
            assert not [*work.rglob("*.part")]
            more = f"remount,size={8 * used + 2**22}"
            subprocess.run(["mount", "-o", more, str(disk)], check=True)
            goes_on(warm, run, work, out)
        disk.rmdir()
    came = "status 1 and one line; goes on to the same files once there is room"
    evidence(SECTION, f"`{name}` on a disk that is full after a part of it", len(sizes), came)


def test_a_folder_that_cannot_be_written_to(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence
) -> None:
    run, place, out = whole("attribute"), tmp_path / "place", tmp_path / "out.txt"
    with mounted(place, "-t", "tmpfs", "-o", "ro", "tmpfs"):
        for work in (place, place / "new"):
            out.unlink(missing_ok=True)
            status = warm.run(run.command.argv(work), out)
            one_line(out.read_text(), str(work), os.strerror(errno.EROFS))
            assert status in {1, 2}
    evidence(SECTION, "a folder that is read-only", 2, "one line that names it; nothing is written")


def test_a_permission_that_is_lost_in_the_middle(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence
) -> None:
    run, work, out = whole("attribute"), tmp_path / "work", tmp_path / "out.txt"
    child = warm.start(run.command.argv(work), out, faults=[("drop_privileges",)])
    child.until((work / "records.jsonl").is_file)
    (work / "input_masks").chmod(0o555)
    assert child.wait() == 1, child.said
    one_line(child.said, "input_masks", os.strerror(errno.EACCES), "What is done is kept")
    assert not complete(work)
    (work / "input_masks").chmod(0o755)
    goes_on(warm, run, work, out)
    evidence(SECTION, "a permission that is lost in the middle", 1, "status 1 and one line")


@ONLY_IN_FULL
@pytest.mark.parametrize("number", [errno.EBUSY, errno.EACCES, errno.ESTALE])
def test_renames_that_are_refused_for_a_moment(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence, number: int
) -> None:
    run, work, out = whole("attribute"), tmp_path / "work", tmp_path / "out.txt"
    fault = ("refuse_renames", work / "manifest.json", number, 2)
    assert warm.run(run.command.argv(work), out, faults=[fault]) == 0, out.read_text()
    assert differing(run.command.outcome(work), run.outcome) == []
    came, mended = "tried again; the same files", "the first refusal ended the run"
    what = f"renames that are refused twice ({errno.errorcode[number]}), as over files in use"
    evidence(SECTION, what, 1, came, mended)


@ONLY_IN_FULL
def test_renames_that_are_refused_for_good(
    warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence
) -> None:
    run, work, out = whole("attribute"), tmp_path / "work", tmp_path / "out.txt"
    fault = ("refuse_renames_of", work, "overlays/dog__00")
    assert warm.run(run.command.argv(work), out, faults=[fault]) == 1
    one_line(out.read_text(), "overlays/dog__00", os.strerror(errno.EACCES), "kept")
    assert not [*work.rglob("*.part")]
    assert len(finished(work)) >= AT_ONCE
    assert not complete(work)
    goes_on(warm, run, work, out)
    evidence(SECTION, "a file that can never be renamed to", 1, "status 1 and one line")


@ONLY_IN_FULL
def test_a_clock_that_jumps(warm: Warm, whole: Wholes, tmp_path: Path, evidence: Evidence) -> None:
    names = ("attribute", "evaluate", "train vision", "vibi train")
    for name in names:
        run, work, out = whole(name), tmp_path / name, tmp_path / "out.txt"
        status = warm.run(run.command.argv(work), out, faults=[("jump_clock", 0)])
        assert status == 0, out.read_text()
        assert differing(run.command.outcome(work), run.outcome) == []
    came = "the same files"
    evidence(SECTION, "a clock that jumps by up to a year, back and forth", len(names), came)
