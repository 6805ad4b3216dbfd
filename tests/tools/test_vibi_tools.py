"""The scripts beside tools/vibi/train.py: many settings, and new pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from input_iba.cli.main import script
from tests.vibi.commands.bright_chunks import SIDE, bright_pictures, write_config

TOOLS = Path(__file__).parent.parent.parent / "tools" / "vibi"
pytestmark = pytest.mark.slow
CPU = ["--device", "cpu", "--precision", "fp32"]


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(TOOLS / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run one setting that works and one that does not."""
    folder = tmp_path_factory.mktemp("experiments")
    root = bright_pictures(folder / "data", 30)
    configs = [
        write_config(folder / "good.py", root, 1),
        write_config(folder / "absent.py", folder / "nowhere", 1),
    ]
    work = ["--work-dir", folder / "work", "--out", folder / "table", "--seeds", 3]
    found = run("run_experiments.py", *configs, *work, *CPU)
    assert found.returncode == 1, found.stderr
    assert "good" in found.stdout
    assert "absent, seed 3 failed" in found.stdout
    return folder


def test_experiments_leave_a_table(experiments: Path) -> None:
    content = json.loads((experiments / "table" / "experiments.json").read_text())
    assert [bool(row["failure"]) for row in content["rows"]] == [False, True]
    assert "| good | 3 | 1 | 0.01 |" in (experiments / "table" / "experiments.md").read_text()
    assert (experiments / "work" / "good_seed3" / "pictures" / "top_k.png").is_file()


def test_new_pictures_are_explained(experiments: Path, tmp_path: Path) -> None:
    checkpoint = experiments / "work" / "good_seed3" / "best.pth"
    picture = experiments / "data" / "test" / "dark" / "dark_1.png"
    found = run("explain.py", checkpoint, picture, "--out", tmp_path, *CPU)
    assert found.returncode == 0, found.stderr
    assert " ms; black box " in found.stdout
    assert "approximator on the chosen chunks " in found.stdout
    with np.load(tmp_path / "dark_1.npz") as arrays:
        assert arrays["mask"].shape == (SIDE, SIDE)
    assert (tmp_path / "dark_1.png").is_file()


def test_a_picture_that_cannot_be_read_shows_in_the_exit_status(
    experiments: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = experiments / "work" / "good_seed3" / "best.pth"
    given = (checkpoint, tmp_path / "none.png", "--out", tmp_path, *CPU)
    assert script("vibi explain", list(map(str, given))) == 1
    assert "none.png failed: " in capsys.readouterr().out


def test_a_wrong_checkpoint_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    found = run("explain.py", tmp_path / "none.pth", "picture.png", *CPU)
    assert found.returncode == 2
    assert found.stderr.startswith("error: ")
    assert "Traceback" not in found.stderr
