"""Processes that work each for itself hear of each other, and wait for each other in the end."""

from __future__ import annotations

import time

import pytest
from torch import distributed

from input_iba.errors import ProcessError
from input_iba.run.heartbeat import Heartbeat
from input_iba.run.launch import Processes
from input_iba.run.progress import RunProgress
from tests.run.threads import play

BEAT = 0.02


def test_alone_there_is_nobody_to_wait_for() -> None:
    with Heartbeat(Processes()) as heartbeat:
        assert heartbeat.share(3) == 0
        heartbeat.wait()


def test_all_wait_for_the_slowest_and_the_bar_counts_everyone() -> None:
    ended = []

    def part(processes: Processes) -> float:
        seen = 0.0

        def refresh() -> None:
            nonlocal seen
            seen = heartbeat.share(processes.rank + 1)

        with Heartbeat(processes, beat=BEAT) as heartbeat:
            time.sleep(0.1 * processes.rank)
            heartbeat.share(processes.rank + 1)
            ended.append(processes.rank)
            heartbeat.wait(refresh)
            assert len(ended) == 3
        return seen

    assert play(3, part) == [5, 4, 3]


def test_the_bar_shows_own_and_other_samples(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("input_iba.run.progress.refresh_seconds", lambda: 0.0)
    others = iter([0.0, 2.0, 1.0, 3.0])
    with RunProgress(5, shown=True, others=lambda _: next(others)) as progress:
        progress.start_batch(1)
        progress.step("a", 1, 1, {})
        progress.end_batch(1)
        assert progress.samples == 1
        for _ in range(2):
            progress.refresh()
    shown = capsys.readouterr().err
    assert "3.0/5 samples" in shown
    assert "4.0/5 samples" in shown
    assert "2.0/5 samples" not in shown  # the bar never goes back


@pytest.mark.parametrize("lost", [0, 1])
def test_a_silent_process_is_given_up(lost: int) -> None:
    def part(processes: Processes) -> None:
        with Heartbeat(processes, patience=0.2, beat=BEAT) as heartbeat:
            heartbeat.share(1)
            if processes.rank != lost:
                heartbeat.wait()

    found = play(2, part)
    error = found[1 - lost]
    assert isinstance(error, ProcessError)
    assert f"process {lost} gave no sign of life" in str(error)
    assert "--resume" in str(error)
    assert (error.said, error.usage) == (False, False)  # the other is gone, so this one says it


@pytest.mark.slow
def test_a_process_that_works_on_is_waited_for_beyond_the_patience() -> None:
    def part(processes: Processes) -> None:
        with Heartbeat(processes, patience=0.5, beat=BEAT) as heartbeat:
            for step in range(20 * processes.rank):
                heartbeat.share(step)
                time.sleep(0.05)
            heartbeat.wait()

    assert play(2, part) == [None, None]


@pytest.mark.parametrize(
    ("raised", "said"), [(OSError("disk full"), True), (KeyboardInterrupt(), False)]
)
def test_who_fails_tells_the_others(raised: BaseException, said: bool) -> None:
    def part(processes: Processes) -> str:
        try:
            with Heartbeat(processes, patience=20, beat=BEAT) as heartbeat:
                if processes.rank == 1:
                    raise raised
                heartbeat.wait()
        except (OSError, KeyboardInterrupt) as error:
            assert error is raised
        return "ended"

    first, second = play(2, part)
    assert second == "ended"
    assert isinstance(first, ProcessError)
    assert (first.said, first.usage) == (said, False)


def test_a_store_that_never_answers_is_given_up() -> None:
    """As where the process that keeps it hangs."""

    class Hanging(distributed.HashStore):  # type: ignore[name-defined,misc]
        def set(self, key: str, value: str) -> None:
            time.sleep(60)

    heartbeat = Heartbeat(Processes(1, 2, 1, store=Hanging()), beat=0, patience=0.1)
    assert heartbeat.share(1) == 0
    said = "whoever keeps their connection has ended or does not answer"
    with pytest.raises(ProcessError, match=said) as caught, heartbeat:
        heartbeat.wait()
    assert not caught.value.said


def test_without_a_store_the_share_is_finished_and_the_loss_reported() -> None:
    class Gone(distributed.HashStore):  # type: ignore[name-defined,misc]
        calls = 0

        def set(self, key: str, value: str) -> None:
            Gone.calls += 1
            raise RuntimeError("Connection reset by peer")

    heartbeat = Heartbeat(Processes(0, 2, 0, store=Gone()), beat=0)
    for position in range(3):
        assert heartbeat.share(position) == 0
    assert Gone.calls == 1
    with pytest.raises(ProcessError, match="--resume"), heartbeat:
        heartbeat.wait()
