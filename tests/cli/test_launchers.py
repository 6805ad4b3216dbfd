"""The published script as several processes, by torchrun and as Slurm starts them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from input_iba.results import StoredFiles, WorkDir
from tests.cli.test_train_script import assert_same_files, command, files, open_all, run
from tests.tiny_runs import tiny_config, write_config, write_images

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node")
SAMPLES = 8
pytestmark = pytest.mark.slow


def make_config(root: Path) -> Path:
    """Write a config with 4 batches of 2 samples to explain, and 20 samples for statistics."""
    for i, name in enumerate(("cat", "dog")):
        write_images(root / "estimation" / name, "abcdefghij", seed=i)
        write_images(root / "attribution" / name, "1234", seed=10 + i)
    config = tiny_config(root)
    config["estimation_cfg"]["n_samples"] = 19
    return write_config(root / "tiny.py", config)


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Return a config whose data a test may change."""
    return make_config(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the work directory of a run of one process, beside its config."""
    config = make_config(tmp_path_factory.mktemp("whole"))
    done = run(config, config.parent / "one")
    assert done.returncode == 0, done.stderr
    return config.parent / "one"


def environment(**more: object) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **{k: str(v) for k, v in more.items()}}


def torchrun(count: int, config: Path, work: Path, *options: str) -> list[str]:
    script = command(config, work, "--launcher", "pytorch", *options)[1:]
    return [*TORCHRUN, str(count), *script]


def run_torchrun(
    count: int, config: Path, work: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        torchrun(count, config, work, *options),
        capture_output=True,
        text=True,
        check=False,
        cwd=config.parent,
        env=environment(),
    )


def start_as_slurm(
    count: int, config: Path, work: Path, *options: str
) -> list[subprocess.Popen[str]]:
    """Start processes of one run, each with the variables that srun would set."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [
        subprocess.Popen(
            command(config, work, "--launcher", "slurm", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=config.parent,
            env=environment(
                SLURM_PROCID=rank,
                SLURM_LOCALID=rank,
                SLURM_NTASKS=count,
                SLURM_JOB_NODELIST="localhost",
                MASTER_PORT=port,
            ),
        )
        for rank in range(count)
    ]


def ends(processes: Sequence[subprocess.Popen[str]]) -> tuple[list[int], list[str], list[str]]:
    """Return exit status, output and errors of each process."""
    outputs, errors = zip(*(process.communicate(timeout=100) for process in processes), strict=True)
    return [process.returncode for process in processes], list(outputs), list(errors)


def until_a_sample_is_done(work: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 100
    while not list(work.glob("records*.jsonl")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)


def recorded(work: Path) -> set[str]:
    return set(WorkDir(work, resume=True).finished())


def test_two_processes_make_the_files_of_one_bit_for_bit(whole: Path, tmp_path: Path) -> None:
    two = tmp_path / "two"
    done = run_torchrun(2, whole.parent / "tiny.py", two, "--pbar")
    assert done.returncode == 0, done.stderr
    assert_same_files(two, whole)
    statistics = "feature_statistics.npz"
    assert (two / statistics).read_bytes() == (whole / statistics).read_bytes()
    assert {path.name for path in two.iterdir()} == {path.name for path in whole.iterdir()}
    assert done.stdout.count("sample ") == done.stdout.count("8 explained, 0 failed") == 1
    assert done.stderr.count("8 of 8 samples to explain, 2 at once, on cpu, 2 processes") == 1
    assert "8.0/8 samples" in done.stderr
    ids = [json.loads(line)["id"] for line in (two / "records.jsonl").read_text().splitlines()]
    assert ids == [f"{name}__{i}" for name in ("cat", "dog") for i in "1234"]
    assert json.loads((two / "manifest.json").read_text())["complete"] is True


def test_each_process_packs_what_it_explains(whole: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    shards = ("--store", "shards", "--samples-per-shard", "3")
    done = run_torchrun(2, whole.parent / "tiny.py", packed, *shards)
    assert done.returncode == 0, done.stderr
    names = sorted(path.stem[8:] for path in (packed / "shards").glob("*.tar"))
    assert names == [f"-000{rank}-00000{number}" for rank in range(2) for number in range(2)]
    stored = StoredFiles(packed)
    for record in WorkDir(packed, resume=True).records.scan():
        for file in record.files.values():
            assert not (packed / file).exists()
            assert stored.at(file).open("rb").read() == (whole / file).read_bytes()


def worker(agent: int, rank: int) -> int:
    """Return the process that torchrun started for a rank."""
    for child in Path(f"/proc/{agent}/task/{agent}/children").read_text().split():
        if f"\0RANK={rank}\0" in f"\0{Path(f'/proc/{child}/environ').read_text()}":
            return int(child)
    raise AssertionError(f"no process of rank {rank}")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("rank", "then"), [(0, 1), (1, 3)])
def test_a_killed_process_loses_nothing_finished(
    whole: Path, tmp_path: Path, rank: int, then: int
) -> None:
    config, work = whole.parent / "tiny.py", tmp_path / "broken"
    with (tmp_path / "out.txt").open("w") as log:
        agent = subprocess.Popen(
            torchrun(2, config, work), env=environment(), stdout=log, stderr=log, text=True
        )
        until_a_sample_is_done(work, agent)
        os.kill(worker(agent.pid, rank), signal.SIGKILL)
        at_least = recorded(work)
        assert agent.wait(timeout=60) != 0
    open_all(work)
    kept = recorded(work)
    assert at_least <= kept
    assert 0 < len(kept) < SAMPLES
    before = {name: (work / name).stat().st_mtime_ns for name in files(work)}
    resumed = (
        run_torchrun(then, config, work, "--resume") if then > 1 else run(config, work, "--resume")
    )
    assert resumed.returncode == 0, resumed.stderr
    assert_same_files(work, whole)
    assert not list(work.rglob("*.part"))
    assert [path.name for path in work.glob("records*")] == ["records.jsonl"]
    assert len(recorded(work)) == SAMPLES
    for name, time_ in before.items():
        if Path(name).stem in kept:  # finished samples were not written again
            assert (work / name).stat().st_mtime_ns == time_


def test_an_error_of_all_is_said_once_and_ends_all_with_2(config_file: Path) -> None:
    work = config_file.parent / "work"
    done = run_torchrun(2, config_file, work, "--cfg-options", "attributor.layer=layr1")
    assert done.returncode != 0
    assert done.stderr.count("error: Layer 'layr1' not found") == 1
    assert done.stderr.count("exitcode  : 2") == 2
    assert done.stdout == ""
    for options in (("--gpu-id", "0"), ("--nonsense",)):
        statuses, outputs, errors = ends(start_as_slurm(2, config_file, work, *options))
        assert statuses == [2, 2]
        assert errors[0].count("error: ") == 1
        assert (errors[1], outputs) == ("", ["", ""])
    assert [path.name for path in work.iterdir()] == ["log_file.log"]


def test_a_bad_sample_of_one_process_makes_every_status_1(config_file: Path) -> None:
    (config_file.parent / "attribution" / "cat" / "3.png").write_text("no picture")
    work = config_file.parent / "work"
    statuses, outputs, errors = ends(start_as_slurm(2, config_file, work, "--pbar"))
    assert statuses == [1, 1], errors
    assert "8.0/8 samples" in errors[0]
    assert "7 explained, 1 failed" in outputs[0]
    assert "Traceback" not in "".join(errors)
    assert (outputs[1], errors[1]) == ("", "")
    assert "sample cat__3 failed" in (work / "log_file.rank1.log").read_text()


def test_the_interrupt_key_ends_all_with_130(config_file: Path) -> None:
    """Each finishes its second batch, and leaves its third."""
    for i, name in enumerate(("cat", "dog")):
        write_images(config_file.parent / "attribution" / name, "56", seed=20 + i)
    work = config_file.parent / "work"
    # Long enough that the second batches are not done when the first one is seen.
    steps = "attribution_cfg.input_iba.opt_steps=120"
    processes = start_as_slurm(2, config_file, work, "--cfg-options", steps)
    until_a_sample_is_done(work, processes[0])
    for process in processes:
        process.send_signal(signal.SIGINT)
    statuses, _, errors = ends(processes)
    assert statuses == [130, 130], errors
    assert errors[0].count("Ends after the 2 samples in flight") == 1
    assert errors[0].count("continue with --resume") == 1
    assert len(recorded(work)) % 2 == 0
    assert json.loads((work / "manifest.json").read_text())["complete"] is False
