"""Trained explainers from the command line, each command as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from input_iba import AmortisedIBA
from input_iba.training.explainer_settings import ExplainerTraining
from tests.commands.evaluating_texts import EvaluatedTexts, prepare_texts
from tests.tiny_runs import five_pictures, tiny_config, write_config, write_images

pytestmark = pytest.mark.slow

FIXED = ("--device", "cpu", "--precision", "fp32")
FEW = ("--epochs", "2", "--batch-size", "4")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "input_iba.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.fixture(scope="module", name="root")
def fixture_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny config, its weights, and an explainer for it."""
    root = tmp_path_factory.mktemp("explainers")
    five_pictures(root / "data")
    write_config(root / "tiny.py", tiny_config(root / "data"))
    done = run(root, "train", "explainer", "tiny.py", *FIXED, *FEW)
    assert done.returncode == 0, done.stderr
    assert "Learned from" in done.stdout
    assert "workdirs/explainer_tiny/explainer.safetensors" in done.stdout
    assert "Epoch 2/2" in done.stderr
    (root / "workdirs/explainer_tiny/explainer.safetensors").rename(root / "explainer.safetensors")
    return root


@pytest.fixture(scope="module", name="texts")
def fixture_texts(tmp_path_factory: pytest.TempPathFactory) -> EvaluatedTexts:
    return prepare_texts(tmp_path_factory.mktemp("texts"), "DeepLSTM")


def read(work: Path) -> dict[str, NDArray[np.float32]]:
    files = sorted((work / "input_masks").rglob("*.npz"))
    return {file.stem: np.load(file)["mask"] for file in files}


def test_attribute_and_baseline_write_the_same_maps(root: Path) -> None:
    explainer = ("--explainer", "explainer.safetensors")
    one = run(root, "attribute", "tiny.py", *explainer, "--work-dir", "one", *FIXED)
    assert one.returncode == 0, one.stderr
    assert "5 explained, 0 failed" in one.stdout
    manifest = json.loads((root / "one" / "manifest.json").read_text())
    assert (manifest["complete"], manifest["method"]) == (True, "amortised")
    other = run(
        root,
        *("baseline", "tiny.py", "amortised", "--work-dir", "two", *FIXED),
        *("--cfg-options", "baseline.explainer=explainer.safetensors"),
    )
    assert other.returncode == 0, other.stderr
    masks, same = read(root / "one"), read(root / "two")
    assert masks.keys() == same.keys()
    assert len(masks) == 5
    assert all(np.array_equal(masks[name], same[name]) for name in masks)


def test_no_explainer_or_something_else_in_its_place(root: Path) -> None:
    missing = run(root, "attribute", "tiny.py", "--explainer", "no.pth", *FIXED)
    assert missing.returncode == 2
    assert "'no.pth' does not exist" in missing.stderr
    (root / "broken.pth").write_text("x")
    broken = run(root, "attribute", "tiny.py", "--explainer", "broken.pth", *FIXED)
    assert broken.returncode == 2
    assert "does not hold an explainer" in broken.stderr
    unset = run(root, "baseline", "tiny.py", "amortised", *FIXED)
    assert unset.returncode == 2
    assert "train explainer" in unset.stderr
    assert not any("Traceback" in done.stderr for done in (missing, broken, unset))


def test_another_model_is_refused(root: Path) -> None:
    done = run(
        root,
        *(
            "attribute",
            "tiny.py",
            "--explainer",
            "explainer.safetensors",
            "--work-dir",
            "x",
            *FIXED,
        ),
        *("--cfg-options", "attributor.classifier.depth=10"),
    )
    assert done.returncode == 2
    assert "trained for a classifier with other weights" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_explainer_of_texts_explains_texts_and_no_images(
    root: Path, texts: EvaluatedTexts
) -> None:
    config, work = str(texts.config), root / "of_texts"
    made = run(root, "train", "explainer", config, "--work-dir", str(work), *FIXED, *FEW)
    assert made.returncode == 0, made.stderr
    file = str(work / "explainer.safetensors")
    done = run(root, "attribute", config, "--explainer", file, "--work-dir", "words", *FIXED)
    assert done.returncode == 0, done.stderr
    assert read(root / "words")
    refused = run(root, "attribute", "tiny.py", "--explainer", file, "--work-dir", "y", *FIXED)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_an_image_is_explained(root: Path) -> None:
    fast = AmortisedIBA("efficientnet_lite0")
    images = torch.randn(3, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    file = fast.fit(images, training=ExplainerTraining(epochs=1)).save(root / "lite0.pth")
    write_images(root, ["one"], size=224)
    image = ("--image", "one.png", "--target", "tabby")
    done = run(root, "attribute", *image, "--explainer", str(file), *FIXED)
    assert done.returncode == 0, done.stderr
    assert "1 explained, 0 failed" in done.stdout
    [mask] = read(root / "workdirs" / "one").values()
    assert mask.shape == (224, 224)
    other = run(root, "attribute", *image, "--explainer", "explainer.safetensors", *FIXED)
    assert other.returncode == 2
    assert "with other weights" in other.stderr
