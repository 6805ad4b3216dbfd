"""The comparison of work directories, as a command and from Python, on a tiny network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks import faithfulness
from benchmarks.scoring import Case, by_ehr
from input_iba.results import write_mask
from tests.datasets.pictures import write, write_boxes
from tests.tiny_runs import PIPELINE, tiny_config, write_config

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a config of five pictures with boxes, `a` with too large a one."""
    for name in "abcde":
        write(tmp_path / "images" / "n1" / f"{name}.png")
        box = (0, 0, 7, 6) if name == "a" else (1, 1, 3, 3)
        write_boxes(tmp_path / "boxes" / "n1" / f"{name}.xml", box)
    index = tmp_path / "classes.json"
    index.write_text(json.dumps({"0": ["n0", "dog"], "1": ["n1", "cat"]}))
    content: dict[str, Any] = tiny_config(tmp_path)
    content["data"]["attribution"] = {
        "type": "ImageNet",
        "img_root": str(tmp_path / "images"),
        "annot_root": str(tmp_path / "boxes"),
        "ind_to_cls_file": str(index),
        "with_bbox": True,
        "pipeline": [{"type": "Resize", "height": 32, "width": 32}, *PIPELINE],
    }
    content["data"]["estimation"] = content["data"]["attribution"]
    return write_config(tmp_path / "config.py", content)


@pytest.fixture
def work_dirs(tmp_path: Path) -> list[Path]:
    """Return two runs: all masks of one, those of a to d of the other, brighter inside."""
    draws = np.random.default_rng(0)
    for run, names in (("one", "abcde"), ("two", "abcd")):
        for name in names:
            mask = draws.random((32, 32)) / 2
            if run == "two":
                mask[6:16, 4:12] += 0.5
            write_mask(tmp_path / run / "input_masks" / f"{name}.npz", mask)
    return [tmp_path / "one", tmp_path / "two"]


def arguments(config: Path, work_dirs: list[Path], *more: str) -> list[str]:
    folders = ["--work-dir", *map(str, work_dirs)]
    return [str(config), *folders, "--min-probability", "0", "--steps", "8", *more]


@pytest.mark.slow
def test_the_command(config: Path, work_dirs: list[Path], tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    more = ["--metrics", "insertion_deletion", "ehr", "--json", str(file)]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.faithfulness", *arguments(config, work_dirs, *more)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    assert "1 left out: not every" in run.stderr
    assert "1 left out: region above 33%" in run.stderr
    found = json.loads(file.read_text())
    assert found["left_out"]["not every work directory has a mask"] == ["e"]
    assert set(found["scores"]["insertion"]) == set("abcd")
    assert set(found["scores"]["ehr"]) == set("bcd")
    assert {m: s["higher_is_better"] for m, s in found["summary"].items()} == {
        "insertion": True,
        "deletion": False,
        "insertion-deletion": True,
        "ehr": True,
    }
    one, two = map(str, work_dirs)
    ehr = found["summary"]["ehr"]
    assert set(ehr["mean"]) == {one, two, "random"}
    assert set(ehr["against_first"]) == {two, "random"}
    assert ehr["against_first"][two]["low"] > 0.1  # the second run's heat lies in the box
    assert ehr["mean"][two]["n"] == 3
    for of_sample in found["scores"]["insertion-deletion"]:
        parts = [found["scores"][m][of_sample] for m in ("insertion", "deletion")]
        both = found["scores"]["insertion-deletion"][of_sample]
        assert both == pytest.approx(np.subtract(*parts).tolist())
    assert "ehr: 3 samples, higher is better" in run.stdout


def test_samples_can_be_chosen(
    config: Path, work_dirs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subset = tmp_path / "subset.txt"
    subset.write_text("b\nc\nd\n")
    chosen = ["--subset-file", str(subset), "--limit", "2", "--metrics", "ehr"]
    faithfulness.main(arguments(config, work_dirs, *chosen))
    captured = capsys.readouterr()
    assert "ehr: 2 samples" in captured.out
    assert "insertion" not in captured.out
    assert "left out" not in captured.err


def test_uncertain_samples_are_left_out_and_counted(
    config: Path, work_dirs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="No sample could be scored"):
        faithfulness.main([*arguments(config, work_dirs), "--min-probability", "1.1"])
    assert "4 left out: target probability below 1.1" in capsys.readouterr().err


def test_ehr_scales_maps_and_skips_samples_without_boxes() -> None:
    def unused(inputs: Tensor) -> Tensor:
        raise AssertionError("effective heat ratios need no classifier")

    heat = torch.zeros(2, 10, 10)
    heat[0, 2:4, 2:4] = 7.0  # bits, not shares
    case = Case(unused, torch.zeros(3, 10, 10), 0, torch.tensor([[2.0, 2, 4, 4]]), heat, 8)
    found = by_ehr(case)
    assert not isinstance(found, str)
    assert found["ehr"].tolist() == pytest.approx([1.0, 0.0])
    assert by_ehr(Case(unused, case.x, 0, None, heat, 8)) == "no boxes, so no ehr"
