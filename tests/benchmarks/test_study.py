"""The study's settings fit the preset, and its table and plot show what was found."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.plots import plot_study
from benchmarks.settings import SETTINGS
from benchmarks.setups import CASES
from benchmarks.study import summary, table
from input_iba.config.load import load_config
from input_iba.registry import PRIORS, build

CONFIG = "configs/efficientnet_lite0_imagenet.py"

FOUND = {
    "dear": {"a": {"seconds": 9.0, "ehr": 0.4}, "b": {"seconds": 11.0, "ehr": 0.6}},
    "cheap": {"a": {"seconds": 1.0, "ehr": 0.25}},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_builds_and_differs_from_the_preset(name: str) -> None:
    config, preset = load_config(CONFIG, SETTINGS[name]), load_config(CONFIG)
    build(PRIORS, config.prior)
    parts = (config.prior, config.input_iba)
    assert (parts == (preset.prior, preset.input_iba)) == (name == "fast")


def test_the_summary_is_the_mean_over_samples() -> None:
    rows = summary(FOUND)
    assert rows["dear"]["ehr"][0] == pytest.approx(0.5)
    assert rows["dear"]["ehr"][1] < 0.5 < rows["dear"]["ehr"][2]
    assert rows["cheap"]["ehr"] == (0.25, 0.25, 0.25)


def test_the_table_names_the_cheapest_first() -> None:
    lines = table(FOUND).splitlines()
    assert [line.split()[0] for line in lines] == ["setting", "cheap", "dear"]
    assert "0.5000 (" in lines[2]


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    plot_study(summary(FOUND), tmp_path / "study.png")
    with Image.open(tmp_path / "study.png") as picture:
        assert picture.width > 400
        assert len(picture.convert("L").getcolors()) > 10


def test_the_cases_name_configs_that_exist() -> None:
    for case in CASES.values():
        for preset in ("paper", "fast"):
            load_config(case.config, case.overrides, preset)
