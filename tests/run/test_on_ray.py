"""Ray as the engine: work is spread over actors, which die, fail and come back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from input_iba.errors import ConfigError, MissingExtraError, ProcessError
from input_iba.run import on_ray
from input_iba.run.on_ray import Share, session, spread
from input_iba.run.options import LaunchOptions, RayOptions
from tests.tiny_runs import needs_ray

OPTIONS = LaunchOptions(launcher="ray", num_workers=2)


def test_options_about_ray_need_it() -> None:
    with pytest.raises(ConfigError, match="Add --launcher ray"):
        LaunchOptions(num_workers=2)
    with session(LaunchOptions()):  # nothing is connected, or missing
        pass


def test_a_missing_ray_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'input-iba\[ray\]'"):
        session(OPTIONS).__enter__()


@needs_ray
def test_a_cluster_that_does_not_answer_is_named() -> None:
    options = LaunchOptions(launcher="ray", address="127.0.0.1:1")
    with pytest.raises(ConfigError, match=r"no connection to 127\.0\.0\.1:1"):
        session(options).__enter__()


class Work:
    """Answers with the number and the process; kills it, or raises, where that is asked.

    Args:
        folder: Where is noted how often the process was killed.
        kills: How often which number kills its process.
        raises: The number that raises.
    """

    def __init__(
        self, folder: Path, kills: dict[int, int] | None = None, raises: int | None = None
    ) -> None:
        self.folder, self.kills, self.raises = folder, kills or {}, raises

    def __call__(self) -> Callable[[int], tuple[int, int]]:
        (self.folder / f"built.{os.getpid()}").touch(exist_ok=False)  # once
        return self.do

    def do(self, index: int) -> tuple[int, int]:
        for time in range(self.kills.get(index, 0)):
            killed = self.folder / f"killed_{index}_{time}"
            if not killed.exists():
                killed.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if index == self.raises:
            raise ConfigError(f"{index} is wrong")
        return index, os.getpid()


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """Connect to a Ray of two processes on this machine, once for all tests."""
    with session(OPTIONS):
        yield


@needs_ray
@pytest.mark.slow
@pytest.mark.usefixtures("ray")
class TestOnRay:
    def test_all_is_done_once_though_processes_die_and_what_kills_again_is_given_up(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import ray

        assert ray.util.get_node_ip_address() == "127.0.0.1"
        monkeypatch.setattr(on_ray, "MOST_TASKS", 3)  # so that a task does several pieces
        work = Work(tmp_path, kills={2: 1, 5: 2})
        done = list(spread(work, 8, OPTIONS, attempts=2))
        assert sorted(one.index for one in done) == list(range(8))
        assert [one.index for one in done if one.value is None] == [5]
        values = {one.index: one.value for one in done if one.value is not None}
        assert all(found == index for index, (found, _) in values.items())
        built = {int(path.suffix[1:]) for path in tmp_path.glob("built.*")}
        assert {process for _, process in values.values()} <= built
        assert len(built) <= 2 + 3  # one more for each that died
        assert os.getpid() not in built

    def test_what_a_process_raises_ends_the_run_and_is_said(self, tmp_path: Path) -> None:
        options = RayOptions(num_workers=1)
        with pytest.raises(ProcessError, match=r"A process of Ray on .*: 3 is wrong") as caught:
            list(spread(Work(tmp_path, raises=3), 6, options))
        assert (caught.value.said, caught.value.usage) == (False, True)

    def test_the_share_of_an_actor_is_what_was_said_or_a_core(self) -> None:
        assert Share.of(RayOptions(num_workers=7, gpus_per_worker=0.5)) == Share(7, 0.5)
        assert Share.of(RayOptions()) == Share(max(2, os.cpu_count() or 1), 0.0)
