"""A comparison of maps of reviews with human evidence, by all that can replace words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from input_iba import models
from input_iba.cli.main import main, script
from input_iba.config.build import build_classifier, build_datasets
from input_iba.config.load import load_config
from tests.commands.explain.test_text_run import text_config
from tests.datasets.reviews import write_reviews
from tests.datasets.test_eraser_movies import TRAIN, annotation, write
from tests.evaluation.test_evidence import literal_precision
from tests.tiny_runs import write_config

WORDS = ("nlp_insertion_deletion", "rationale")
METRICS = [f"{name}{ending}" for name in WORDS for ending in ("", "_mask", "_remove")]
FIXED = ("--device", "cpu", "--no-pbar")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write reviews with evidence, and a config of a small LSTM."""
    root = tmp_path / "eraser"
    write(root, "train", *TRAIN)
    write(root, "val", annotation("posR_1.txt", "POS", (1, 3)))
    (root / "docs").mkdir()
    for name, text in (
        ("negR_000", "so dull and flat , so bad film"),
        ("posR_001", "great fun , so"),
    ):
        (root / "docs" / f"{name}.txt").write_text(text)
    (root / "docs" / "posR_1.txt").write_text("a great film and so much fun")
    settings = text_config(write_reviews(tmp_path / "imdb"), vocab_size=11)
    data = {"type": "EraserMovies", "root": str(root)}
    settings["data"] |= {"estimation": data, "attribution": {**data, "split": "val"}}
    classifier = settings["attributor"]["classifier"]
    torch.save(models.build_classifier(classifier).state_dict(), tmp_path / "lstm.pt")
    classifier["pretrained"] = str(tmp_path / "lstm.pt")
    return write_config(tmp_path / "text.py", settings)


def test_three_replacements_stand_beside_each_other(config: Path, tmp_path: Path) -> None:
    dirs = [str(tmp_path / name) for name in ("one", "two")]
    for seed, work in enumerate(dirs):
        options = ["--work-dir", work, "--seed", str(seed), *FIXED]
        assert script("baseline", [str(config), "random", *options]) == 0
    out = tmp_path / "compared"
    options = ["--out", str(out), "--device", "cpu", "--scores-threshold", "0"]
    assert main(["compare", *dirs, *options, "--metrics", *METRICS, "evidence"]) == 0
    found = json.loads((out / "compare.json").read_text())
    assert found["complete"] is True
    replaced = [found["metrics"][name]["settings"]["replace"] for name in METRICS]
    assert replaced == ["zero", "mask", "remove"] * 2
    keys = found["metrics"]["evidence"]["keys"]
    assert keys["chance"]["methods"]["one"]["rank"] is None
    assert "(#1)" in (out / "compare.md").read_text()
    assert "#None" not in (out / "compare.md").read_text()
    ready = load_config(config)
    sample = build_datasets(ready, build_classifier(ready))[1][0]
    for name, work in zip(("one", "two"), dirs, strict=True):
        with np.load(Path(work) / "input_masks" / "posR_1.npz") as arrays:
            expected = literal_precision(arrays["mask"].tolist(), list(sample.evidence))
        mean = keys["average_precision"]["methods"][name]["mean"]
        assert mean == pytest.approx(expected)
