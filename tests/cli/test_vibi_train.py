"""The command that trains explainers: published options, exit status, resume."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from input_iba.cli.main import script
from tests.vibi.commands.conftest import colours, tiny_options

__all__ = ["colours"]  # a fixture

SCRIPT = Path(__file__).parents[2] / "tools/vibi/train.py"


def arguments(root: Path, folder: Path, *extra: str) -> list[str]:
    options = [f"{key}={value}" for key, value in tiny_options(root, folder).items()]
    return [
        *("--work-dir", str(folder / "run"), "--device", "cpu", "--precision", "fp32"),
        *extra,
        *("--cfg-options", *options),
    ]


@pytest.mark.slow
def test_the_script_trains_with_the_published_options(colours: Path, tmp_path: Path) -> None:
    published = [
        *("--num_epochs", "2", "--explainer_type", "ResNet_2x", "--xpl_channels", "3"),
        *("--k", "6", "--beta", "0.01", "--num_samples", "3", "--save_best"),
        "--save_images_every_epoch",
    ]
    run = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments(colours, tmp_path, *published)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Approximator fidelity" in run.stdout
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())["identity"]
    assert manifest["explainer"]["type"] == "ResNet_2x"
    assert manifest["explainer"]["channels"] == 3
    assert manifest["explainer"]["k"] == 6
    assert manifest["training"]["beta"] == 0.01
    assert manifest["training"]["num_samples"] == 3
    assert manifest["training"]["epochs"] == 2
    assert (tmp_path / "run/best.pth").exists()
    assert not (tmp_path / "run/last.pth").exists()


def test_a_second_start_needs_resume(
    colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = arguments(colours, tmp_path, "--num_epochs", "1")
    assert script("vibi train", given) == 0
    assert script("vibi train", given) == 2
    assert "--resume_training" in capsys.readouterr().err
    assert script("vibi train", [*given[:2], "--resume_training", *given[2:]]) == 0


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--k", "5"], "from 1 to 4"),
        (["--config", "configs/vibi/mnist_resnet4x.py"], "does not exist"),
        (["--jump_start"], "expected the setting with beta 0"),
        (["--chunk_size", "2"], "chunks of 4 pixels or more"),
    ],
)
def test_wrong_options_say_what_is_wrong(
    colours: Path,
    tmp_path: Path,
    extra: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert script("vibi train", arguments(colours, tmp_path, *extra)) == 2
    assert message in capsys.readouterr().err


def test_cuda_where_there_is_none_is_an_error(
    colours: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert script("vibi train", arguments(colours, tmp_path, "--cuda")) == 2
    assert "--device cuda" in capsys.readouterr().err
