"""Many settings: finished ones are skipped, stopped ones go on, failed ones are told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from input_iba.drawing import as_plain
from input_iba.errors import ConfigError
from input_iba.vibi.commands import experiments
from input_iba.vibi.commands.experiments import ExperimentRow, run_experiments, table
from input_iba.vibi.commands.options import VibiOptions
from tests.vibi.commands.bright_chunks import bright_pictures, write_config


@pytest.fixture
def configs(tmp_path: Path) -> list[Path]:
    root = bright_pictures(tmp_path / "data")
    return [
        write_config(tmp_path / "configs" / f"beta{i}.py", root, 1, beta)
        for i, beta in enumerate((0.0, 0.1))
    ]


@pytest.mark.slow
def test_all_settings_are_run_once_and_told_in_a_table(configs: list[Path], tmp_path: Path) -> None:
    work = tmp_path / "work"
    options = VibiOptions(work_dir=work, device="cpu", precision="fp32")
    rows = run_experiments(configs, [0, 1], {}, options, tmp_path / "out")
    assert [(row.setting, row.seed, row.beta) for row in rows] == [
        *(("beta0", 0, 0.0), ("beta0", 1, 0.0)),
        *(("beta1", 0, 0.1), ("beta1", 1, 0.1)),
    ]
    names = ["beta0", "beta0_seed1", "beta1", "beta1_seed1"]
    assert sorted(path.name for path in work.iterdir()) == names
    content = json.loads((tmp_path / "out" / "experiments.json").read_text())
    assert content["complete"] is True
    found = json.loads((work / "beta1" / "results.json").read_text())
    assert content["rows"][2]["approximator"] == found["test"]["approximator"]
    assert content["rows"][2]["rationale"] == found["test"]["rationale"]
    metrics = json.loads((work / "beta1" / "metrics.jsonl").read_text())
    assert content["rows"][2]["kl"] == metrics["kl"]
    markdown = (tmp_path / "out" / "experiments.md").read_text()
    assert "mean of 2" in markdown
    assert "Partial" not in markdown
    before = {path: path.stat().st_mtime_ns for path in work.rglob("best.pth")}
    again = run_experiments(configs, [0, 1], {}, options, tmp_path / "out")
    assert again == rows
    assert before == {path: path.stat().st_mtime_ns for path in work.rglob("best.pth")}


def test_a_setting_that_fails_does_not_stop_the_others(configs: list[Path], tmp_path: Path) -> None:
    broken = write_config(tmp_path / "configs" / "absent.py", tmp_path / "nowhere", 1)
    options = VibiOptions(work_dir=tmp_path / "work", device="cpu", precision="fp32")
    rows = run_experiments([broken, configs[0]], [0], {}, options, tmp_path)
    assert "nowhere" in rows[0].failure
    assert not rows[1].failure
    content = json.loads((tmp_path / "experiments.json").read_text())
    assert content["complete"] is False
    assert "absent, seed 0 failed" in (tmp_path / "experiments.md").read_text()


def test_an_unforeseen_error_is_told_too(
    configs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_luck(*_: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(experiments, "run_vibi", out_of_luck)
    options = VibiOptions(work_dir=tmp_path / "work")
    [row] = run_experiments(configs[:1], [0], {}, options, tmp_path)
    assert row.failure == "RuntimeError: no luck"


def test_a_wrong_config_is_told_before_anything_is_run(configs: list[Path], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("training = dict(epoch=3)\n")
    options = VibiOptions(work_dir=tmp_path / "work")
    with pytest.raises(ConfigError, match="epochs"):
        run_experiments([configs[0], wrong], [0], {}, options, tmp_path)
    assert not (tmp_path / "work").exists()
    with pytest.raises(ConfigError, match="No config to run"):
        run_experiments([], [0], {}, options, tmp_path)


@pytest.mark.parametrize(
    ("fidelity", "classes", "collapsed"),
    [(0.10, 10, True), (0.18, 10, True), (0.20, 10, False), (0.52, 2, True), (0.6, 2, False)],
)
def test_collapsed_is_hardly_better_than_guessing(
    fidelity: float, classes: int, collapsed: bool
) -> None:
    row = ExperimentRow("a", 0, approximator=fidelity, classes=classes)
    assert row.collapsed == collapsed


def test_means_hide_no_collapse_and_partial_tables_say_so() -> None:
    good = ExperimentRow("a", 0, approximator=0.98, classes=10, seconds=2)
    rows = [good, replace(good, seed=1, approximator=0.1, seconds=4)]
    grid = table(rows, 3)
    assert grid.rows[2][1] == "mean of 2"
    assert "54.00 %" in grid.rows[2]
    assert grid.rows[2][-1] == "yes"
    assert "Partial: 2 of 3 runs" in as_plain(grid)
