"""Commands whose samples are shared by processes of Ray: the files of one process, bit for bit."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from input_iba.cli.main import main
from input_iba.run.on_ray import session
from input_iba.run.options import LaunchOptions
from tests.cli.test_launchers import make_config
from tests.cli.test_train_script import assert_same_files
from tests.tiny_runs import needs_ray

pytestmark = [
    pytest.mark.slow,
    needs_ray,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]


@pytest.fixture(scope="module")
def config_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a config of 4 batches of 2 samples; a Ray of two processes runs meanwhile."""
    threads, os.environ["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS"), "1"
    with session(LaunchOptions(launcher="ray", num_workers=2)):
        yield make_config(tmp_path_factory.mktemp("data"))
    os.environ.pop("OMP_NUM_THREADS")
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = threads


def descendants(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from descendants(child)


def actors() -> list[int]:
    """Return the processes of this one's Ray that explain or score."""
    titles = {
        process: Path(f"/proc/{process}/cmdline").read_text()
        for process in descendants(os.getpid())
    }
    return [process for process, title in titles.items() if title.startswith("ray::MapWorker")]


def kill_one_once_a_sample_is_done(work: Path, killed: list[int]) -> None:
    deadline = time.monotonic() + 200
    while not (work / "records.jsonl").is_file() and time.monotonic() < deadline:
        time.sleep(0.005)
    killed += actors()[:1]
    for process in killed:
        os.kill(process, signal.SIGKILL)


def attribute(config: Path, work: Path, *options: str) -> None:
    fixed = ("--work-dir", str(work), "--precision", "fp32", "--device", "cpu")
    assert main(["attribute", str(config), *fixed, *options]) == 0


def test_a_killed_process_of_ray_loses_nothing_and_all_files_are_those_of_one(
    config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, killed = tmp_path / "one", tmp_path / "two", list[int]()
    attribute(config_file, one)
    killer = threading.Thread(target=kill_one_once_a_sample_is_done, args=(two, killed))
    killer.start()
    attribute(config_file, two, "--launcher", "ray", "--num-workers", "2", "--pbar")
    killer.join()
    assert len(killed) == 1
    assert_same_files(two, one)
    assert {path.name for path in two.iterdir()} == {path.name for path in one.iterdir()}
    records = [json.loads(line) for line in (two / "records.jsonl").read_text().splitlines()]
    assert [record["id"] for record in records] == [
        json.loads(line)["id"] for line in (one / "records.jsonl").read_text().splitlines()
    ]
    shown = capsys.readouterr()
    assert "8.0/8 samples" in shown.err
    assert shown.out.count("8 explained, 0 failed") == 2

    metric = ["evaluate", "insertion_deletion", str(config_file), str(one / "maps")]
    options = ["--scores-threshold", "0", "--pixel-batch-size", "256"]
    assert main([*metric, str(tmp_path), "here.json", *options]) == 0
    options += ["--launcher", "ray", "--num-workers", "1"]
    assert main([*metric, str(tmp_path), "ray.json", *options]) == 0
    assert (tmp_path / "here.json").read_bytes() == (tmp_path / "ray.json").read_bytes()
