"""The script that explains by other methods."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from input_iba.cli.main import script
from tests.tiny_runs import four_pictures

EXAMPLE = Path(__file__).parents[2] / "examples" / "with_captum_and_quantus.py"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
pytestmark = pytest.mark.slow


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return four_pictures(tmp_path)


def arguments(config: Path, method: str, work: Path, *options: str) -> list[str]:
    fixed = ("--work-dir", str(work), "--precision", "fp32", "--device", "cpu")
    return [str(config), method, *fixed, *options]


def masks(work: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((work / "input_masks").glob("*.npz"))}


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("grad_cam", ("--saliency-layer", "layer2", "--gpu-id", "0", "--device", "auto")),
        ("deep_shap", ("--samples-per-batch", "2", "--cfg-options", "baseline.n_background=2")),
        ("iba", ("--num-samples", "3", "--seed", "1", "--pbar")),
    ],
)
def test_the_script_explains_by_another_method(
    config_file: Path, method: str, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    work = config_file.parent / "work"
    assert script("baseline", arguments(config_file, method, work, *options)) == 0
    assert f"Report: {work / 'report.html'}" in capsys.readouterr().out
    values = json.loads((work / "manifest.json").read_text())
    assert (values["complete"], values["method"]) == (True, method)
    assert len(masks(work)) == (3 if method == "iba" else 4)


def test_a_method_that_does_not_exist_is_answered_with_the_closest(
    config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script("baseline", arguments(config_file, "ex_pertub", config_file.parent / "work")) == 2
    error = capsys.readouterr().err
    assert "'ex_pertub'. Closest: 'ex_perturb'" in error
    assert "Traceback" not in error
    assert not (config_file.parent / "work").exists()


def test_the_example_runs() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr
    assert "InputIBA (1, 1, 224, 224)" in done.stdout
    assert "Grad-CAM: Gini index 0." in done.stdout
