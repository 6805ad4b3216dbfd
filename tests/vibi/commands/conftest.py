"""Tiny pictures of two colours, and a config that trains on them in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from input_iba.vibi.commands.config import VibiConfig, load_vibi_config
from tests.datasets.pictures import write


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return folders of noisy red and green pictures, which anything can tell apart."""
    root = tmp_path_factory.mktemp("colours")
    draws = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", 10)):
        for channel, name in enumerate(("red", "green")):
            for i in range(count):
                pixels = draws.integers(0, 60, (8, 8, 3), dtype=np.uint8)
                pixels[..., channel] += 150
                write(root / f"{part}/{name}/{i}.png", Image.fromarray(pixels))
    return root


def tiny_options(root: Path, folder: Path) -> dict[str, Any]:
    """Return overrides for data in `root` and a black box in `folder`."""
    return {
        "data.dataset": "ImageFolder",
        "data.root": str(root),
        "black_box.classifier.width": 4,
        "black_box.classifier.hidden": 16,
        "black_box.classifier.dropout": 0.0,
        "black_box.checkpoint": str(folder / "black_box.pth"),
        "black_box.epochs": 8,
        "black_box.lr": 0.05,
        "black_box.batch_size": 16,
        "black_box.hidden_chunks": 0.0,
        "explainer.width": 8,
        "explainer.k": 1,
        "approximator.width": 8,
        "training.epochs": 3,
        "training.batch_size": 16,
        "training.lr": 0.01,
    }


@pytest.fixture
def tiny(colours: Path, tmp_path: Path) -> VibiConfig:
    return load_vibi_config(None, tiny_options(colours, tmp_path))
