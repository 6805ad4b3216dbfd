"""The front door and the command give the same masks for the same view of an image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import input_iba
from input_iba.cli.main import main
from input_iba.config.load import load_config
from input_iba.datasets import build_dataset
from input_iba.datasets.loading import cut
from input_iba.models import build_classifier

CROPS = 32


@pytest.mark.slow
def test_explain_gives_the_masks_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "cat.png"
    Image.fromarray(data.chelsea()).save(file)  # type: ignore[no-untyped-call]
    options = [f"estimation_cfg.n_samples={CROPS}", "data.data_loader.shuffle=False"]
    command = ["attribute", "--image", str(file), "--work-dir", "w", "--precision", "fp32"]
    assert main([*command, "--device", "cpu", "--cfg-options", *options]) == 0
    config = load_config(Path("w/config.py"))
    view = build_dataset(config.attribution_data)
    crops = build_dataset(config.estimation_data)
    batches = [torch.stack([crops[i].input for i in indices]) for indices in cut(range(CROPS), 16)]
    found = input_iba.explain(
        build_classifier(config.classifier),
        view[0].input,
        data=batches,
        precision="fp32",
        ids=[view.ids[0]],
    )
    with np.load(f"w/input_masks/{view.ids[0]}.npz") as saved:
        assert np.array_equal(saved["mask"], found[0].input_mask.numpy())
    with np.load(f"w/maps/{view.ids[0]}.npz") as saved:
        assert np.array_equal(saved["map"], found[0].map.numpy())
    with np.load(f"w/feat_masks/{view.ids[0]}.npz") as saved:
        assert np.array_equal(saved["mask"], found[0].feature_mask.numpy())
