"""The script that trains a classifier: it learns, resumes exactly, and says what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from input_iba.cli.main import script
from input_iba.models import build_classifier
from tests.datasets.pictures import write

CONFIG = "configs/cifar10/resnet_cifar10_test.py"


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """Return folders of noisy red and green pictures, which anything can tell apart."""
    draws = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", 10)):
        for channel, name in enumerate(("red", "green")):
            for i in range(count):
                pixels = draws.integers(0, 120, (8, 8, 3), dtype=np.uint8)
                pixels[..., channel] += 100
                write(tmp_path / f"{part}/{name}/{i}.png", Image.fromarray(pixels))
    return tmp_path


def run(folder: Path, *extra: str, name: str = "net", work_dir: str = "work") -> int:
    pipeline = [{"type": "Resize", "height": 8, "width": 8}, {"type": "Normalize"}]
    config = folder / "config.py"
    config.write_text(
        f"_base_ = [{str(Path(CONFIG).resolve())!r}]\n"
        f"data = dict(estimation=dict(pipeline={pipeline}), attribution=dict(pipeline={pipeline}))"
    )
    roots = ["--train-root", str(folder / "train"), "--test-root", str(folder / "test")]
    return script(
        "train vision",
        [
            *(str(config), *roots, "--work-dir", str(folder / work_dir), *extra),
            *("--device", "cpu", "--precision", "fp32", "--batch-size", "16", "--cfg-options"),
            f"attributor.classifier.pretrained={folder / name}.pth",
            "attributor.classifier.num_classes=2",
        ],
    )


def load(path: Path) -> torch.nn.Module:
    return build_classifier(
        {
            "source": "custom",
            "type": "ResNet",
            "depth": 8,
            "num_classes": 2,
            "pretrained": str(path),
        }
    )


def test_it_learns_and_writes_a_checkpoint_that_loads(
    colours: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(colours, "--epochs", "3") == 0
    assert "on the test set 100.00%" in capsys.readouterr().out
    load(colours / "net.pth")
    assert not list(colours.rglob("*.part"))


@pytest.mark.slow
def test_resumed_training_ends_at_the_same_weights(
    colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(colours, "--epochs", "3", name="whole", work_dir="whole") == 0
    from input_iba.training.trainer import Trainer

    train_epoch = Trainer.train_epoch

    def stopped(self: Trainer[Any], epoch: int, on_step: object) -> dict[str, float]:
        if epoch == 1:
            raise KeyboardInterrupt
        return train_epoch(self, epoch, on_step)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "train_epoch", stopped)
    assert run(colours, "--epochs", "3") == 130
    monkeypatch.setattr(Trainer, "train_epoch", train_epoch)
    assert run(colours, "--epochs", "3") == 2, "a training is there, and --resume was not given"
    assert run(colours, "--epochs", "3", "--resume", "--lr", "0.3") == 2, "another --lr"
    torch.rand(3)
    assert run(colours, "--epochs", "3", "--resume") == 0
    states = [
        torch.load(colours / name / "training_state.pth", weights_only=True)["state_dict"]
        for name in ("whole", "work")
    ]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--epochs", "0"], "argument --epochs: value must be a number"),
        (["--lr", "-1"], "argument --lr: value must be a number"),
    ],
)
def test_wrong_settings(
    colours: Path, capsys: pytest.CaptureFixture[str], extra: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        run(colours, *extra)
    assert message in capsys.readouterr().err


def test_divergence_is_reported(colours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(colours, "--lr", "1e30", "--epochs", "4") == 2
    assert "lower --lr" in capsys.readouterr().err


def test_too_many_classes(colours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(colours / "train/red", colours / "train/blue")
    shutil.copytree(colours / "test/red", colours / "test/blue")
    assert run(colours) == 2
    assert "num_classes=3" in capsys.readouterr().err
    shutil.rmtree(colours / "test/blue")
    assert run(colours) == 2
    assert "have other classes" in capsys.readouterr().err


def test_pretrained_must_be_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert script("train vision", ["configs/vgg_imagenet.py"]) == 2
    assert "path that ends in .safetensors, .pth" in capsys.readouterr().err
