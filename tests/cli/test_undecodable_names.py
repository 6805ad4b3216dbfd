"""Files and folders whose names are bytes that are not UTF-8, from one end to the other."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path

import pytest

from input_iba.cli.main import main
from input_iba.config.load import load_config
from input_iba.core.noise import sample_seed
from tests.tiny_runs import tiny_config, write_config, write_images

CLASS, NAME = os.fsdecode(b"caf\xe9"), os.fsdecode(b"\xe9t\xe9")
PLAIN = ("--device", "cpu")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    try:
        for part in ("estimation", "attribution"):
            write_images(tmp_path / part / CLASS, [NAME, "b"])
            write_images(tmp_path / part / "dog", ["c", "d"], seed=1)
    except OSError:  # macOS and Windows
        pytest.skip("this file system takes no such names")
    return write_config(tmp_path / "c.py", tiny_config(tmp_path))


@pytest.mark.slow
def test_they_are_explained_scored_compared_and_drawn(config: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    explain = ["attribute", str(config), "--work-dir", str(work), *PLAIN]
    assert main([*explain, "--out-style", "image_folder"]) == 0
    assert main([*explain, "--out-style", "image_folder", "--resume"]) == 0
    records = [json.loads(line) for line in (work / "records.jsonl").read_text().splitlines()]
    assert {record["id"] for record in records} == {NAME, "b", "c", "d"}
    assert all((work / record["files"]["input_mask"]).is_file() for record in records)
    results = tmp_path / "results"
    options = ("--scores-threshold", "0", *PLAIN)
    arguments = [str(config), str(work), str(results), "a.json", "--pixel-batch-size", "500"]
    assert main(["evaluate", "insertion_deletion", *arguments, *options]) == 0
    assert NAME in json.loads((results / "a.json").read_text())["rows"]
    compare = ["compare", str(work), str(work), "--names", "a", "b", "--metrics", "degradation"]
    assert main([*compare, "--out", str(tmp_path / "compare"), *options]) == 0
    assert main(["figure", "grid", str(work), "--out", str(tmp_path / "grid.png")]) == 0
    pages = (work / "report.html", results / "report.html", tmp_path / "compare" / "compare.html")
    for page in pages:
        HTMLParser().feed(page.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_an_image_of_such_a_name_is_explained(tmp_path: Path) -> None:
    write_images(tmp_path, ["a"], size=224)
    image = tmp_path / f"{NAME}.png"
    try:
        (tmp_path / "a.png").rename(image)
    except OSError:
        pytest.skip("this file system takes no such names")
    few = ("estimation_cfg.n_samples=4", "attribution_cfg.input_iba.opt_steps=2")
    work = tmp_path / "work"
    options = ("--work-dir", str(work), *PLAIN, "--cfg-options", *few)
    assert main(["attribute", "--image", str(image), *options]) == 0
    assert (work / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    # The config that is kept names the same file.
    kept = load_config(work / "config.py")
    assert kept.attribution_data["files"] == [str(image)]


def test_their_noise_is_seeded_like_any_other() -> None:
    assert sample_seed(0, NAME, "prior") == sample_seed(0, NAME, "prior")
    assert sample_seed(0, NAME, "prior") != sample_seed(0, CLASS, "prior")
