"""Rows of an evaluation: appended, kept on resumption, never mixed with those of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from input_iba.errors import ResumeError
from input_iba.results import Entry, RowLog

IDENTITY = {"metric": "ehr", "seed": 0}
ROW = Entry("a\n", "scored", {"auc": 0.5}, stamp="1/2")


@pytest.fixture
def log(tmp_path: Path) -> RowLog:
    log = RowLog(tmp_path / "a.rows.jsonl")
    assert log.begin(IDENTITY, resume=False) == {}
    return log


def test_entries_come_back_and_the_last_counts(log: RowLog) -> None:
    log.append(Entry("b", "failed", reason="broken"))
    log.append(ROW)
    log.append(Entry("b", "skipped", reason="no boxes"))
    found = log.begin(IDENTITY, resume=True)
    assert found == {ROW.id: ROW, "b": Entry("b", "skipped", reason="no boxes")}


def test_rows_are_not_overwritten_without_resume(log: RowLog) -> None:
    assert log.begin({"metric": "other"}, resume=False) == {}  # nothing to lose
    log.append(ROW)
    with pytest.raises(ResumeError, match=r"1 samples.*--resume"):
        log.begin({"metric": "other"}, resume=False)
    assert log.begin({"metric": "other"}, resume=True) == {ROW.id: ROW}


def test_rows_made_otherwise_are_refused(log: RowLog) -> None:
    log.append(ROW)
    with pytest.raises(ResumeError, match="seed: was 0, now 1"):
        log.begin({**IDENTITY, "seed": 1}, resume=True)


def test_a_line_cut_off_by_a_crash_is_no_entry(log: RowLog) -> None:
    log.append(ROW)
    with log.path.open("a") as stream:
        stream.write('{"id": "b", "sta')
    assert log.begin(IDENTITY, resume=True) == {ROW.id: ROW}
    log.append(Entry("b", "skipped", reason="no boxes"))
    assert set(log.begin(IDENTITY, resume=True)) == {ROW.id, "b"}


def test_nothing_to_resume_is_a_beginning(tmp_path: Path) -> None:
    log = RowLog(tmp_path / "new.rows.jsonl")
    assert log.begin(IDENTITY, resume=True) == {}
    assert log.path.is_file()
