"""What changes a config's digest, and so whether a run may be continued; how the map is read."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from input_iba.attribution import PAPER
from input_iba.attribution.presets import preset_of
from input_iba.config.load import RunConfig, load_config
from input_iba.errors import ConfigError


def test_the_digest_ignores_what_is_only_shown_and_how_numbers_are_written(
    config_file: Path,
) -> None:
    digest = load_config(config_file).digest()
    same = {
        "attribution_cfg.feat_mask.show": True,
        "data.data_loader.num_workers": 2,
        "attribution_cfg.feat_iba.beta": 20.0,
        "attribution_cfg.feat_iba.log_every_steps": 5,
    }
    assert load_config(config_file, same).digest() == digest
    for key, value in {
        "attribution_cfg.feat_iba.beta": 20.5,
        "attributor.layer": "layer2",
        "data.data_loader.batch_size": 3,
        "data.attribution.img_root": "elsewhere",
        "attribution_cfg.gan.real": "capacity",
    }.items():
        assert load_config(config_file, {key: value}).digest() != digest, key


def test_how_the_map_is_read_is_set_by_a_config_and_published_ones_keep_their_digest(
    config: RunConfig, config_file: Path
) -> None:
    assert config.reading == PAPER.reading
    assert "map" not in config.raw["attribution_cfg"]
    numbers = {k: v for k, v in asdict(config.reading).items() if isinstance(v, float)}
    name, value = next(iter(numbers.items()))
    other = load_config(config_file, {f"attribution_cfg.map.{name}": value + 1})
    assert asdict(other.reading) == {**asdict(config.reading), name: value + 1}
    assert other.digest() != config.digest()
    with pytest.raises(ConfigError, match=rf"'{name}s' in section 'attribution_cfg\.map'"):
        load_config(config_file, {f"attribution_cfg.map.{name}s": value})
    with pytest.raises(ConfigError, match=rf"attribution_cfg\.map\.{name}' of .* must be"):
        load_config(config_file, {f"attribution_cfg.map.{name}": "much"})


@pytest.mark.parametrize("preset", ["fast", "instant", "paper"])
def test_a_presets_reading_is_written_out_and_changes_no_digest(
    config_file: Path, tmp_path: Path, preset: str
) -> None:
    config = load_config(config_file, preset=preset)
    raw = deepcopy(dict(config.raw))
    written = raw["attribution_cfg"].pop("map")
    assert written == asdict(preset_of(preset).reading)
    for key in ("warm_steps", "warm_lr"):
        del raw["attribution_cfg"]["input_iba"][key]
    assert config.digest() == replace(config, raw=raw).digest()  # as of releases without the keys
    warm = {"attribution_cfg.input_iba.warm_steps": 7}
    assert load_config(config_file, warm, preset).digest() != config.digest()
    dumped = tmp_path / "dumped.py"
    dumped.write_text(config.text())
    assert load_config(dumped).reading == config.reading == preset_of(preset).reading
    assert load_config(dumped).digest() == config.digest()


def test_the_dumped_config_loads_to_the_same_settings(config: RunConfig, tmp_path: Path) -> None:
    dumped = tmp_path / "dumped.py"
    dumped.write_text(config.text())
    assert load_config(dumped).digest() == config.digest()


def test_a_request_to_end_is_not_taken_for_a_wrong_config(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mmengine.config.config.FormatCode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        config.text()
