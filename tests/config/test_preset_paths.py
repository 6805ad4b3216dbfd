"""Presets are found and replaced wherever they and the config lie."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from input_iba.config import presets
from input_iba.config.load import load_config
from input_iba.config.presets import PRESETS, lookup, preset_values
from input_iba.errors import ConfigError
from tests.config.inheriting import ROOT, inheriting, without_parameters, write
from tests.tiny_runs import write_config

STEPS = "attribution_cfg.input_iba.opt_steps"
PRIOR = presets.PRIOR_TYPE


def test_a_preset_of_another_copy_of_the_package_is_replaced_too(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere" / "input_iba" / "config" / "presets"
    shutil.copytree(Path(presets.__file__).parent, folder)
    config = without_parameters(tmp_path)
    path = write(tmp_path / "mine.py", (folder / "fast.py").as_posix(), config)
    loaded = load_config(path, preset="paper")
    assert loaded.prior["type"] == lookup(preset_values("paper"), PRIOR)
    assert loaded.warnings == ()


def test_a_file_that_only_bears_a_presets_name_is_none(tmp_path: Path) -> None:
    own = {"attribution_cfg": {"input_iba": {"opt_steps": 6}}}
    write_config(tmp_path / "fast.py", own)
    path = write(tmp_path / "mine.py", "fast.py", without_parameters(tmp_path))
    assert load_config(path, preset="paper").input_iba.opt_steps == 6


def test_configs_moved_to_another_place_find_their_presets(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "mine")
    for chosen in (None, "paper"):
        moved = load_config(tmp_path / "mine" / "vgg_imagenet.py", preset=chosen)
        assert moved.raw == load_config(ROOT / "configs" / "vgg_imagenet.py", preset=chosen).raw


def test_a_reading_that_fails_leaves_nothing_for_the_next(tmp_path: Path) -> None:
    path = inheriting(tmp_path, "fast")
    before = load_config(path).raw
    (tmp_path / "bad.py").write_text(f"_base_ = ['{path.as_posix()}']\ndata = 1 / 0")
    with pytest.raises(ConfigError, match="ZeroDivisionError"):
        load_config(tmp_path / "bad.py", preset="paper")
    assert load_config(path).raw == before


@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_a_preset_is_found_by_its_former_path(tmp_path: Path, preset: str | None) -> None:
    mine = without_parameters(tmp_path)
    write_config(tmp_path / "own.py", {"data": mine.pop("data")})
    between = tmp_path / "between.py"
    between.write_text(
        "_steps = 7\n_base_ = [\n"
        '    __import__("input_iba").__path__[0] + "/engine/presets/fast.py",\n'
        "    'own.py',\n]\nestimation_cfg = dict(n_samples=_steps)\n"
    )
    child = write(tmp_path / "child.py", "./between.py", mine)
    config = load_config(child, preset=preset)
    assert (config.layer, config.estimation.n_samples) == ("layer1", 7)
    assert config.preset == (preset or "fast")
    assert config.input_iba.opt_steps == lookup(preset_values(preset or "fast"), STEPS)
    assert "input_iba/config/presets/ now" in config.warnings[0]


def test_a_base_that_was_never_there_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text('_base_ = __import__("input_iba").__path__[0] + "/engine/presets/slow.py"')
    with pytest.raises(ConfigError, match=r"_base_ of config file .* is missing"):
        load_config(path)
