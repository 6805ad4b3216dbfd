"""The published CIFAR-10 settings train for an epoch with networks of published size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from input_iba.vibi.commands.config import load_vibi_config
from input_iba.vibi.commands.options import VibiOptions
from input_iba.vibi.commands.prepared import load_vibi
from input_iba.vibi.commands.run import run_vibi
from tests.datasets.pictures import write

FOLDER = Path(__file__).parents[3] / "configs/vibi"
SETTINGS = {"cifar10_unet_k64_beta0_001": (1024, 64), "cifar10_resnet_4x_k12_beta0": (64, 12)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    draws = np.random.default_rng(0)
    for part, count in (("train", 3), ("test", 1)):
        for name in ("one", "two"):
            for i in range(count):
                pixels = draws.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                write(root / f"{part}/{name}/{i}.png", Image.fromarray(pixels))
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_a_published_setting_trains_for_an_epoch(name: str, pictures: Path, tmp_path: Path) -> None:
    few = {"data.dataset": "ImageFolder", "data.root": str(pictures), "black_box.epochs": 1}
    large = {"explainer.size": "published", "explainer.width": 0, "approximator.size": "published"}
    own = {"approximator.width": 0, "black_box.checkpoint": str(tmp_path / "black_box.pth")}
    options = {**few, **large, **own, "training.epochs": 1, "training.batch_size": 3}
    config = load_vibi_config(FOLDER / f"{name}.py", options)
    result = run_vibi(config, VibiOptions(work_dir=tmp_path / "run", device="cpu"))
    assert result.test.samples == 2
    vibi = load_vibi(tmp_path / "run/best.pth").vibi
    assert (vibi.chunks.count, vibi.k) == SETTINGS[name]
    widths = [p.shape[0] for p in vibi.parameters() if p.ndim == 4]
    assert widths[0] == 64  # the explainer's first convolution
    assert max(p.shape[0] for p in vibi.approximator.parameters()) == 512
