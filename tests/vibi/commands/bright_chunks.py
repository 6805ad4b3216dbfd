"""Pictures whose class is the brightness of one chunk, in folders, and a config that learns it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIDE, CHUNK = 16, 4
TOP, LEFT = 8, 4
"""Of the chunk that decides."""


def bright_pictures(root: Path, per_class: int = 60) -> Path:
    """Write `train` and `test` folders of grey noise with a bright or a dark chunk."""
    draws = np.random.default_rng(0)
    for split, count in (("train", per_class), ("test", per_class // 3)):
        for name, value in (("bright", 250), ("dark", 5)):
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = draws.integers(90, 160, (SIDE, SIDE, 3), dtype=np.uint8)
                pixels[TOP : TOP + CHUNK, LEFT : LEFT + CHUNK] = value
                Image.fromarray(pixels).save(folder / f"{name}_{i}.png")
    return root


def write_config(path: Path, root: Path, epochs: int = 2, beta: float = 0.01) -> Path:
    """Write a config of a small explainer of these pictures; its stem names the setting."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""
data = dict(dataset="ImageFolder", root={str(root)!r}, mean=(0.5,) * 3, std=(0.25,) * 3)
black_box = dict(
    classifier=dict(source="custom", type="ConvNet", width=4, hidden=16, dropout=0.0),
    checkpoint={str(root / "black_box.pth")!r}, epochs=6, batch_size=16, lr=0.05,
    hidden_chunks=0.0,
)
explainer = dict(type="ResNet_4x", width=4, k=1)
approximator = dict(width=4)
training = dict(epochs={epochs}, batch_size=16, beta={beta}, lr=0.01)
"""
    )
    return path
