"""The published script as a process of its own: tiny data, the real three stages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.tiny_runs import four_pictures, tiny_config, write_config

SCRIPT = Path(__file__).parents[2] / "tools" / "vision" / "train.py"
FEW = ("batch_size", "opt_steps")
FOLDERS = ("maps", "input_masks", "feat_masks", "prior_masks", "images", "overlays")
pytestmark = pytest.mark.slow


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return four_pictures(tmp_path)


def command(config: Path, work: Path, *options: str) -> Sequence[str]:
    fixed = ("--work-dir", str(work), "--precision", "fp32", "--device", "cpu")
    return [sys.executable, str(SCRIPT), str(config), *fixed, *options]


def run(config: Path, work: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(config, work, *options),
        capture_output=True,
        text=True,
        check=False,
        cwd=config.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def files(work: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(work)): path.read_bytes()
        for folder in FOLDERS
        for path in sorted((work / folder).rglob("*"))
        if not path.name.endswith(".part")
    }


def assert_same_files(work: Path, expected: Path) -> None:
    """Compare bit by bit; name the files that differ, by how much, and what the run logged."""
    found, wanted = files(work), files(expected)
    assert found.keys() == wanted.keys()
    different = [
        f"{name}: {furthest(work / name, expected / name)}"
        for name in found
        if found[name] != wanted[name]
    ]
    logs = (path.read_text() for path in (*work.glob("*.log"), *expected.glob("*.log")))
    assert not different, "\n".join((*different, *logs))


def values_in(arrays: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the values of a map or of a mask."""
    values: NDArray[np.float64] = arrays["map" if "map" in arrays else "mask"].astype(float)
    return values


def furthest(file: Path, other: Path) -> str:
    """Say how far two masks lie apart."""
    if file.suffix != ".npz":
        return "other bytes"
    with np.load(file) as mine, np.load(other) as theirs:
        distance = np.abs(values_in(mine) - values_in(theirs)).max()
    return f"up to {distance:.3g} apart"


def open_all(work: Path) -> int:
    """Open every file that a reader would see; half a file would raise."""
    count = 0
    for path in [path for folder in FOLDERS for path in (work / folder).rglob("*")]:
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                count += values_in(arrays).size > 0
        elif path.suffix != ".part":
            with Image.open(path) as image:
                image.load()
                count += 1
    return count


def test_a_run_from_another_folder_ends_with_table_and_page(config_file: Path) -> None:
    work = config_file.parent / "work"
    done = run(config_file, work, "--gpu-id", "0", "--device", "auto", "--pbar")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()[:5]] == [
        *("sample", "only", "cat__same", "only", "dog__same")
    ]
    assert f"Report: {work / 'report.html'}" in done.stdout
    assert "4.0/4 samples" in done.stderr
    assert json.loads((work / "manifest.json").read_text())["complete"] is True
    assert len(files(work)) == open_all(work) == 4 * (4 + 9)


def test_a_config_without_parameters_runs_with_a_preset_and_what_fits(config_file: Path) -> None:
    config = tiny_config(config_file.parent)
    config["attributor"] = {
        key: value
        for key, value in config["attributor"].items()
        if key in {"type", "layer", "classifier"}
    }
    del config["attribution_cfg"]
    path, work = config_file.with_name("bare.py"), config_file.parent / "work"
    few = [f"attribution_cfg.{stage}_iba.{key}=2" for stage in ("feat", "input") for key in FEW]
    options = ("--preset", "fast", "--samples-per-batch", "auto", "--internal-batch-size", "4")
    done = run(write_config(path, config), work, *options, "--cfg-options", *few)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 samples to explain, 4 at once" in done.stderr
    manifest = json.loads((work / "manifest.json").read_text())
    assert manifest["samples_per_batch"] == 4
    assert manifest["options"]["preset"] == "fast"
    saved = (work / "config.py").read_text()
    assert "internal_batch_size=4" in saved
    assert "preset 'fast'" in saved
    refused = run(path, work, "--resume", "--preset", "paper", "--cfg-options", *few)
    assert refused.returncode == 2
    assert "+++ now" in refused.stderr


def test_one_bad_picture_of_four_makes_the_status_1(config_file: Path) -> None:
    bad = config_file.parent / "attribution" / "dog" / "same.png"
    bad.write_bytes(bad.read_bytes()[:100])
    done = run(config_file, config_file.parent / "work")
    assert done.returncode == 1
    assert "3 explained, 1 failed" in done.stdout
    assert "Traceback" not in done.stderr
