"""Photographs in ImageNet's layout: other classes are trained on than tested on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from input_iba.run.shell import Run
from input_iba.vibi import ChunkGrid, CopiedApproximator, CopiedExplainer
from input_iba.vibi.commands.config import load_vibi_config
from input_iba.vibi.commands.images import Images, build_vibi
from input_iba.vibi.commands.options import VibiOptions
from input_iba.vibi.commands.prepared import load_vibi
from input_iba.vibi.commands.run import run_vibi
from tests.datasets.pictures import write

CONFIG = "efficientnet_lite0_photographs_k98"
CPU = Run(torch.device("cpu"), None)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Write wide and high images of six classes, of which two are tested on."""
    root, draws = tmp_path / "data", np.random.default_rng(0)
    for split, numbers in (("estimation", range(4)), ("attribution", range(4, 6))):
        for number in numbers:
            size = (40, 60, 3) if number % 2 else (60, 40, 3)
            image = Image.fromarray(draws.integers(0, 256, size, dtype=np.uint8))
            write(root / f"images/{split}/n{number}/{number}.JPEG", image)
    index = {str(i): [f"n{i}", f"class {i}"] for i in range(6)}
    (root / "imagenet_class_index.json").write_text(json.dumps(index))
    return root


def test_a_run_crops_photographs_and_knows_all_classes(photographs: Path, tmp_path: Path) -> None:
    options = {
        **{"data.dataset": "ImageNet", "data.root": str(photographs), "data.size": 28},
        **{"black_box.checkpoint": str(tmp_path / "box.pth"), "black_box.epochs": 1},
        **{"explainer.start": "features", "approximator.start": "black_box"},
        **{"explainer.fill": 0.5, "training.epochs": 1, "training.copied_lr": 1e-4},
    }
    config = load_vibi_config(None, options)
    found = run_vibi(config, VibiOptions(work_dir=tmp_path / "run", device="cpu"))
    assert found.test.samples == 2
    loaded = load_vibi(tmp_path / "run/best.pth")
    assert list(loaded.class_names) == [f"class {i}" for i in range(6)]
    grid = loaded.vibi.chunks
    assert isinstance(grid, ChunkGrid)
    hidden = grid.hide(torch.zeros(1, 3, 28, 28), torch.zeros(1, 1, 49))
    assert bool((hidden == 0.5).all())


def test_new_photographs_are_cropped_as_those_of_the_training(
    photographs: Path, tmp_path: Path
) -> None:
    config = load_vibi_config(CONFIG, {"data.root": str(photographs), "data.size": 28})
    images = Images(config, CPU, (3, 28, 28))
    dataset = images.dataset("test")
    path = Path(dataset.path(0))
    assert torch.equal(images.open(path), dataset[0].image)
    squashed = Images(load_vibi_config(None, {"data.size": 28}), CPU, (3, 28, 28)).open(path)
    assert not torch.equal(images.open(path), squashed)


def test_the_config_of_photographs_builds_what_its_name_says() -> None:
    config = load_vibi_config(CONFIG, {})
    vibi = build_vibi(config, (3, 224, 224), 1000)
    assert (vibi.chunks.count, vibi.k) == (14 * 14, 98)
    assert isinstance(vibi.explainer, CopiedExplainer)
    assert vibi.explainer.layer == "_blocks.10"  # the last of 14×14 positions
    assert isinstance(vibi.approximator, CopiedApproximator)
    with torch.no_grad():
        photographs = torch.rand(2, 3, 224, 224)
        logits = vibi.eval().explain(photographs)
        assert logits.shape == (2, 196)
        assert vibi.approximate(vibi.only_top_k(photographs, logits)).shape == (2, 1000)
