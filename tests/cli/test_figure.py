"""`input-iba figure`: grids of work directories and curves of evaluations, in every format."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from input_iba.cli import main as cli
from input_iba.commands.figure.curves import Result, panels
from input_iba.config.load import load_config
from input_iba.drawing import figure_format
from input_iba.evaluation.insertion_deletion import InsertionDeletionMetric
from input_iba.run.options import RunOptions
from tests.tiny_runs import five_pictures, tiny_config, write_config
from tests.tiny_runs import run as run_fake

BEGINNINGS = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml", "jpg": b"\xff\xd8"}


def figure(*arguments: str | Path) -> int:
    return cli.main(["figure", *map(str, arguments)])


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the work directory of a finished run, which is only read."""
    root = tmp_path_factory.mktemp("figure")
    config = load_config(write_config(root / "tiny.py", tiny_config(five_pictures(root / "data"))))
    run_fake(config, RunOptions(work_dir=root / "work", precision="fp32", device="cpu"))
    return root / "work"


@pytest.mark.parametrize("ending", ["png", "pdf", "svg", "jpg"])
def test_a_grid_in_every_format_and_the_same_twice(work: Path, tmp_path: Path, ending: str) -> None:
    files = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for file in files:
        assert figure("grid", work, "--out", file, "--num-samples", "2") == 0
    contents = [file.read_bytes() for file in files]
    assert contents[0].startswith(BEGINNINGS[ending])
    assert contents[0] == contents[1]


def test_a_grid_has_a_line_per_sample_and_a_column_per_method(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    small = ("--inches", "1", "--dpi", "50")
    assert figure("grid", work, "--out", sheet, *small) == 0
    assert "5 samples drawn" in capsys.readouterr().out
    with Image.open(sheet) as image:
        assert image.size == (200, 5 * 65)
    several = (work, work / "feat_masks", "--names", "ours", "IBA", "--show", "overlay")
    svg = tmp_path / "grid.svg"
    assert figure("grid", *several, "--out", svg, "--samples", "cat__2", "cat__1") == 0
    text = svg.read_text()
    assert [name in text for name in ("ours", "IBA", "input mask")] == [True, True, False]
    assert figure("grid", *several, "--out", sheet, *small, "--samples", "cat__2") == 0
    with Image.open(sheet) as image:
        assert image.size == (150, 65)


def test_the_map_is_what_is_shown_of_several_and_on_demand(work: Path, tmp_path: Path) -> None:
    drawn = {}
    small = ("--inches", "1", "--dpi", "50", "--samples", "cat__1")
    two = (work, work, "--names", "a", "b")
    for name, arguments in {
        "default": two,
        "map": (*two, "--show", "map"),
        "input mask": (*two, "--show", "input_mask"),
        "folders": (work / "maps", work / "maps", "--names", "a", "b"),
    }.items():
        assert figure("grid", *arguments, "--out", tmp_path / "a.png", *small) == 0
        drawn[name] = (tmp_path / "a.png").read_bytes()
    assert drawn["default"] == drawn["map"] == drawn["folders"] != drawn["input mask"]


def test_the_colour_map_is_the_one_asked_for(work: Path, tmp_path: Path) -> None:
    drawn = []
    for name in ("viridis", "bwr"):
        file = tmp_path / f"{name}.png"
        assert figure("grid", work, "--out", file, "--cmap", name, "--show", "input_mask") == 0
        drawn.append(np.asarray(Image.open(file).convert("RGB")).reshape(-1, 3))
    assert (drawn[1] == (0, 0, 255)).all(1).any()
    assert not (drawn[0] == (0, 0, 255)).all(1).any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "x.gif"], "Endings: .png, .pdf, .svg, .jpg"),
        (["--out", "x.png", "--cmap", "virids"], "Closest: 'viridis'"),
        (["--out", "x.png", "--samples", "cat__9"], "Closest: 'cat__"),
        (["--out", "x.png", "--num-samples", "0"], "the grid would be empty"),
        (["--out", "x.png", "--names", "a", "b"], "Give --names"),
    ],
)
def test_what_errors_of_grids_say(
    work: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert figure("grid", work, *arguments) == 2
    assert said in capsys.readouterr().err
    assert not Path("x.png").exists()


def evaluation(path: Path, rows: dict[str, Any], metric: str, **made_with: Any) -> Path:
    settings = {"metric": metric, "settings": {}, "classifier": "c", "data": "d"}
    path.write_text(json.dumps({"made_with": {**settings, **made_with}, "rows": rows}))
    return path


def rows_of(metric: str, count: int, seed: int) -> dict[str, Any]:
    draws = np.random.default_rng(seed)

    def curve(n: int) -> list[float]:
        return [float(value) for value in draws.random(n)]

    keys: dict[str, Callable[[], dict[str, Any]]] = {
        "insertion_deletion": lambda: {"ins_curve": curve(101), "del_curve": curve(101)},
        "degradation": lambda: {"LeRF_curve": curve(101), "MoRF_curve": curve(101)},
        "ehr": lambda: {"ratios": curve(11)},
        "sensitivity_n": lambda: {
            "correlation": 0.1,
            "correlations": {str(10**n): value for n, value in enumerate(curve(4))},
        },
    }
    return {f"s{i}": keys[metric]() for i in range(count)}


@pytest.mark.parametrize(
    ("metric", "shown"),
    [
        ("insertion_deletion", ["insertion, higher", "deletion, lower", "share of the pixels"]),
        ("degradation", ["least relevant first", "most relevant first"]),
        ("ehr", ["Effective heat ratio, 4 samples", "quantile of the heat"]),
        ("sensitivity_n", ["Sensitivity-N", "N, pixels of a set"]),
    ],
)
def test_curves_of_every_metric(tmp_path: Path, metric: str, shown: list[str]) -> None:
    files = [
        evaluation(tmp_path / f"{name}.json", rows_of(metric, 4 + i, i), metric)
        for i, name in enumerate(("ours", "other"))
    ]
    out = tmp_path / "curves.svg"
    assert figure("curves", *files, "--out", out) == 0
    text = out.read_text()
    assert [s for s in [*shown, "ours", "other", "bands: 95 %"] if s not in text] == []


def test_the_lines_are_means_over_the_samples_that_all_methods_have() -> None:
    draws = np.random.default_rng(0).random((3, 101))
    rows = {
        f"s{i}": {"ins_curve": d.tolist(), "del_curve": d.tolist()} for i, d in enumerate(draws)
    }
    found = [Result(name, Path(name), {}, rows) for name in ("a", "b")]
    title, [insertion, deletion] = panels(InsertionDeletionMetric(), found)
    assert title == "Insertion and deletion, 3 samples"
    assert [line.label for line in deletion.lines] == ["a", "b"]
    assert insertion.lines[0].y == pytest.approx(draws.mean(0).tolist())
    error = draws.std(0, ddof=1) / np.sqrt(3)
    assert insertion.lines[0].margin == pytest.approx((1.96 * error).tolist())


def test_rows_of_a_comparison_are_read_too(tmp_path: Path) -> None:
    head = {"metric": "ehr", "settings": {}, "classifier": "c", "data": "d"}
    entries = [
        {"id": id_, "status": "scored", "row": row, "reason": "", "stamp": ""}
        for id_, row in rows_of("ehr", 3, 0).items()
    ]
    file = tmp_path / "grad_cam.rows.jsonl"
    file.write_text("\n".join(map(json.dumps, [head, *entries])) + "\n")
    out = tmp_path / "c.svg"
    assert figure("curves", file, "--out", out) == 0
    assert ">grad_cam<" in out.read_text()


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"data": "other"}, [], "data: d and other"),
        ({"settings": {"sigma": 1.0}}, [], "cannot stand in one figure"),
        ({"metric": "ehr"}, [], "metric: insertion_deletion and ehr"),
        ({"metric": "new"}, [], "of metric 'new'"),
        ({}, ["--names", "a"], "Give --names"),
    ],
)
def test_results_that_mean_other_things_are_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    options: list[str],
    said: str,
) -> None:
    metric = "insertion_deletion"
    rows = rows_of(metric, 2, 0)
    files = [
        evaluation(tmp_path / "a.json", rows, metric),
        evaluation(tmp_path / "b.json", rows, **{"metric": metric, **change}),
    ]
    assert figure("curves", *files, "--out", tmp_path / "c.png", *options) == 2
    assert said in capsys.readouterr().err


def test_methods_without_a_common_sample_need_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of("ehr", 2, 0)
    files = [
        evaluation(tmp_path / f"{id_}.json", {id_: rows[id_], f"{id_}!": rows[id_]}, "ehr")
        for id_ in rows
    ]
    assert figure("curves", *files, "--out", tmp_path / "c.svg") == 2
    assert "--own-samples" in capsys.readouterr().err
    assert figure("curves", *files, "--out", tmp_path / "c.svg", "--own-samples") == 0
    (tmp_path / "bad.json").write_text("[]")
    assert figure("curves", tmp_path / "bad.json", "--out", tmp_path / "c.svg") == 2
    assert "cannot be read as the result" in capsys.readouterr().err


def test_a_jpeg_may_be_called_so() -> None:
    assert figure_format(Path("a.JPEG")) == "jpg"


def test_help_tells_the_kinds() -> None:
    command = [sys.executable, "-m", "input_iba.cli.main", "figure", "curves", "--help"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "bands of 95 %" in found.stdout
