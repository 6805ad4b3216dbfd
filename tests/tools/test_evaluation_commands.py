"""The evaluation scripts as processes of their own, on tiny mosaics with a tiny checkpoint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.evaluating import ANY_PROBABILITY, Evaluated, prepare

TOOLS = Path(__file__).parents[2] / "tools" / "vision"
pytestmark = pytest.mark.slow

COMMANDS: dict[str, tuple[set[str], tuple[str, ...]]] = {
    "evaluate_ehr": ({"auc", "ratios"}, ("--weight", "--roi", "bboxes", "--base-threshold", "0.2")),
    "insertion_deletion": (
        {"ins_auc", "del_auc", "difference", "ins_curve", "del_curve"},
        ("--sigma", "2", "--pixel-batch-size", "128"),
    ),
    "sensitivity_n": (
        {"correlation", "correlations"},
        ("--log-n-max", "2", "--log-n-ticks", "0.5", "--num-masks", "5"),
    ),
    "sanity_check": (
        {"ssim", "ssim_all", "ssim_unchanged", "control_ssim_all", "layers"},
        ("--save-heatmaps", "--num-samples", "2"),
    ),
    "get_target_scores": (set(), ()),
    "degradation": (
        {"MoRF_auc", "LeRF_auc", "difference", "MoRF_curve", "LeRF_curve"},
        ("--tile-size", "8"),
    ),
    "localisation": (
        {"hit", "mass", "iou", "rank", "best_iou"},
        ("--tolerance", "2", "--threshold", "0.7"),
    ),
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    return prepare(tmp_path_factory.mktemp("evaluation"))


@pytest.mark.parametrize("script", COMMANDS)
def test_a_script_writes_rows_summary_and_curve(tiny: Evaluated, script: str) -> None:
    keys, options = COMMANDS[script]
    arguments = tiny.arguments(f"{script}.json", *ANY_PROBABILITY, *options, "--seed", "1")
    done = subprocess.run(
        [sys.executable, str(TOOLS / f"{script}.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tiny.root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    found = tiny.result(script)
    n = 2 if "--num-samples" in options else 4
    assert len(found["rows"]) == n
    assert found["complete"] is (n == 4)
    assert all(row.keys() == keys | {"target", "pred"} for row in found["rows"].values())
    assert found["higher_is_better"].keys() <= found["summary"].keys()
    assert all(summary["n"] == n for summary in found["summary"].values())
    with Image.open(tiny.root / "results" / f"{script}.png") as curve:
        curve.load()
    assert next(iter(found["summary"])) in done.stdout
    report = (tiny.root / "results" / "report.html").read_text()
    assert f'href="./{script}.json"' in report
    assert report.count('class="chart"') == len(list((tiny.root / "results").glob("*.json")))
    assert f"Report: {Path(arguments[2]) / 'report.html'}" in done.stdout
    if script == "sanity_check":
        _check_saved(tiny, found["rows"])


def _check_saved(tiny: Evaluated, rows: dict[str, dict[str, list[float]]]) -> None:
    """Every step's map is there, and the two steps differ."""
    for id_, row in rows.items():
        folder = tiny.root / "results" / "sanity_check_heatmaps" / id_
        names = ["00_linear.npz", "01_layer3.npz"]
        assert sorted(path.name for path in folder.iterdir()) == names
        first, second = (np.load(folder / name)["mask"] for name in names)
        assert first.shape == second.shape == (32, 32)
        assert not np.array_equal(first, second)
        assert len(row["ssim_all"]) == 2


def test_help_names_the_published_arguments() -> None:
    done = subprocess.run(
        [sys.executable, str(TOOLS / "evaluate_ehr.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in ("CONFIG", "HEATMAP_DIR", "WORK_DIR", "FILE_NAME", "--weight", "--roi", "--gpu-id"):
        assert name in done.stdout
