"""The log of a process: the first one's is on the terminal too."""

from __future__ import annotations

from pathlib import Path

import pytest

from input_iba.run.shell import LOGGER, logging_to, to_file_only


def test_the_first_process_logs_to_file_and_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_to(tmp_path / "log"):
        LOGGER.info("begun")
        to_file_only("details")
    assert "begun" in capsys.readouterr().err
    assert [line.split()[-1] for line in (tmp_path / "log").read_text().splitlines()] == [
        *("begun", "details")
    ]


def test_another_process_logs_what_goes_wrong_to_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_to(tmp_path / "log", main=False):
        LOGGER.info("begun")
    assert not (tmp_path / "log").exists()
    with logging_to(tmp_path / "log", main=False):
        LOGGER.error("sample x failed")
    assert "sample x failed" in (tmp_path / "log").read_text()
    assert capsys.readouterr().err == ""
