"""The progress bar and the loss lines of the log."""

from __future__ import annotations

import logging
import sys
import time

import pytest

from input_iba.run.progress import RunProgress
from input_iba.run.shell import LOGGER


def test_the_bar_shows_stage_samples_rate_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("input_iba.run.progress.refresh_seconds", lambda: 0.0)
    with RunProgress(4, shown=True) as progress:
        progress.start_batch(2)
        time.sleep(0.01)
        progress.step("WGAN", 1, 2, {})
        progress.step("WGAN", 2, 2, {})
        progress.end_batch(2)
    shown = capsys.readouterr().err
    assert "WGAN 1/2" in shown
    assert "1.0/4 samples" in shown
    assert "2.0/4 samples" in shown
    assert "<" in shown
    assert "sample/s" in shown or "s/sample" in shown


@pytest.mark.parametrize(
    ("shown", "terminal", "visible"),
    [(None, True, True), (None, False, False), (True, False, True), (False, True, False)],
)
def test_by_itself_the_bar_shows_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shown: bool | None,
    terminal: bool,
    visible: bool,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    with RunProgress(2, shown=shown) as progress:
        progress.start_batch(2)
        progress.end_batch(2)
    assert ("2.0/2 samples" in capsys.readouterr().err) is visible


def test_within_a_batch_stages_count_by_their_share_of_time() -> None:
    with RunProgress(10, shown=False, expected={"a": 1.0, "b": 3.0}) as progress:
        progress.start_batch(10)
        progress.step("a", 1, 1, {})
        assert progress.samples == pytest.approx(2.5)
        progress.step("b", 1, 2, {})
        assert progress.samples == pytest.approx(6.25)
        progress.step("unknown", 1, 2, {})
        assert progress.samples == pytest.approx(10.0)
        progress.end_batch(10)
        assert progress.samples == 10


def test_losses_are_logged_every_so_many_steps(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOGGER, "propagate", True)
    with caplog.at_level(logging.INFO), RunProgress(1, shown=False, log_every={"a": 2}) as progress:
        progress.start_batch(1)
        for step in range(1, 6):
            progress.step("a", step, 5, {"target": 1 / step, "other": float("nan")})
            progress.step("silent", step, 5, {"target": 1.0})
    assert [record.getMessage() for record in caplog.records] == [
        "a step 2/5: target 0.5",
        "a step 4/5: target 0.25",
        "a step 5/5: target 0.2",
    ]
