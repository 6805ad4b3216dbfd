"""`input-iba compare` as a process of its own, and its arguments."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from input_iba.cli import main as cli
from input_iba.cli.run import FAILED
from input_iba.commands.compare.options import CompareOptions
from input_iba.commands.compare.run import CompareResult
from tests.commands.comparing import cell_maps, random_maps, result, write_work_dir
from tests.commands.evaluating import prepare


def test_every_option_arrives(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = list[tuple[CompareOptions, list[Any]]]()

    def run(options: CompareOptions, metrics: list[Any]) -> CompareResult:
        calls.append((options, metrics))
        return CompareResult(1, "the table", Path("o/compare.html"))

    monkeypatch.setattr("input_iba.commands.compare.run.run_compare", run)
    status = cli.main(
        [
            *("compare", "a", "b", "--out", "o", "--names", "x", "y", "--against", "y"),
            *("--metrics", "ehr", "insertion_deletion", "ehr", "--num-samples", "9"),
            *("--seed", "3", "--gpu-id", "1", "--device", "cpu", "--resume", "--no-pbar"),
            *("--allow-missing", "--scores-threshold", "0.2", "--precision", "bf16"),
            *("--sigma", "2", "--pixel-batch-size", "224", "--base-threshold", "0.3"),
            *("--cfg-options", "data.data_loader.num_workers=1"),
        ]
    )
    [(options, metrics)] = calls
    assert status == FAILED
    assert "the table\n\nResult: o/compare.html" in capsys.readouterr().out
    assert options == CompareOptions(
        work_dirs=(Path("a"), Path("b")),
        out=Path("o"),
        names=("x", "y"),
        against="y",
        num_samples=9,
        scores_threshold=0.2,
        allow_missing=True,
        resume=True,
        seed=3,
        device="cpu",
        gpu_id=1,
        precision="bf16",
        progress_bar=False,
        cfg_options={"data.data_loader.num_workers": 1},
    )
    assert [metric.name for metric in metrics] == ["ehr", "insertion_deletion"]
    assert metrics[0].base_threshold == 0.3
    assert (metrics[1].sigma, metrics[1].pixel_batch_size) == (2, 224)


@pytest.mark.parametrize(
    "arguments", [["a"], ["--out", "o"], ["a", "--out", "o", "--metrics", "sanity_check"]]
)
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["compare", *arguments])
    assert caught.value.code == 2


@pytest.mark.slow
def test_the_command_prints_and_writes_the_table(tmp_path: Path) -> None:
    tiny = prepare(tmp_path)
    write_work_dir(tiny, "random", random_maps(tiny, 0))
    write_work_dir(tiny, "perfect", cell_maps(tiny))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "input_iba.cli.main", "compare", "random", "perfect"),
            *("--metrics", "localisation", "--out", "out", "--scores-threshold", "0"),
            *("--device", "cpu", "--num-samples", "3"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tiny.root,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert "localisation mass ↑" in done.stdout
    assert "3 of 4 samples compared" in done.stdout
    names = {path.name for path in (tiny.root / "out").iterdir()}
    assert names == {"compare.md", "compare.json", "compare.html", "compare.log", "rows"}
    assert (
        result(tiny)["metrics"]["localisation"]["keys"]["mass"]["methods"]["perfect"]["rank"] == 1
    )
