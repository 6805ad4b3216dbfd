"""Presets: what a config writes counts, the preset gives the rest, wherever the config lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from input_iba.commands.explain.run import run_attribution
from input_iba.config import presets
from input_iba.config.load import load_config
from input_iba.config.presets import PRESETS, TEXT, lookup, preset_values
from input_iba.errors import ConfigError, ResumeError
from input_iba.run.options import RunOptions
from tests.config.inheriting import ROOT, inheriting, without_parameters, write
from tests.tiny_runs import FakeExplainer, tiny_config, write_config

STEPS = "attribution_cfg.input_iba.opt_steps"
PRIOR = presets.PRIOR_TYPE

OTHER_PRIOR: dict[str, Any] = next(
    prior
    for prior in ({"type": "SaliencyPrior", "high": 0.9}, {"type": "ConstantPrior", "value": 0.3})
    if all(lookup(preset_values(name), PRIOR) != prior["type"] for name in PRESETS)
)
"""A prior that no preset has."""


@pytest.mark.parametrize("inherited", PRESETS)
@pytest.mark.parametrize("chosen", PRESETS)
def test_the_chosen_preset_replaces_the_inherited_one_whole(
    tmp_path: Path, inherited: str, chosen: str
) -> None:
    config = load_config(inheriting(tmp_path, inherited), preset=chosen)
    for section in ("feat_iba", "input_iba", "gan"):
        for half in ("attributor", "attribution_cfg"):
            assert config.raw[half][section] == preset_values(chosen)[half][section]
    assert (config.preset, config.warnings) == (chosen, ())


@pytest.mark.parametrize("inherited", PRESETS)
def test_without_a_choice_a_config_is_read_as_before(tmp_path: Path, inherited: str) -> None:
    path = inheriting(tmp_path, inherited, estimation_cfg={"n_samples": 7})
    config = load_config(path)
    expected = presets.put_beneath(preset_values(inherited), Config.fromfile(str(path)).to_dict())
    for section in ("attributor", "estimation_cfg", "attribution_cfg"):
        assert config.raw[section] == expected[section]
    assert config.preset == inherited


@pytest.mark.parametrize("chosen", [None, *PRESETS])
def test_values_of_the_file_and_of_a_file_in_between_count(
    tmp_path: Path, chosen: str | None
) -> None:
    base = (ROOT / "configs" / "_base_" / "fast.py").as_posix()
    between = without_parameters(tmp_path)
    between["attribution_cfg"] = {"feat_iba": {"beta": 31}, "input_iba": {"opt_steps": 3}}
    write(tmp_path / "between.py", base, between)
    path = write(
        tmp_path / "child.py", "between.py", {"attribution_cfg": {"input_iba": {"opt_steps": 4}}}
    )
    config = load_config(path, preset=chosen)
    assert (config.feature_iba.beta, config.input_iba.opt_steps) == (31.0, 4)
    values = preset_values(chosen or "fast")
    assert config.feature_iba.opt_steps == lookup(values, "attribution_cfg.feat_iba.opt_steps")
    assert config.prior["type"] == lookup(values, PRIOR)
    assert bool(config.warnings) == (chosen is not None)


@pytest.mark.parametrize("chosen", PRESETS)
def test_a_value_equal_to_the_inherited_presets_is_a_value_of_the_config(
    tmp_path: Path, chosen: str
) -> None:
    for preset in PRESETS:
        steps = lookup(preset_values(preset), STEPS)
        own = {"attribution_cfg": {"input_iba": {"opt_steps": steps}}}
        config = load_config(inheriting(tmp_path, preset, **own), preset=chosen)
        assert config.input_iba.opt_steps == steps


@pytest.mark.parametrize("chosen", PRESETS)
def test_a_config_without_a_preset_gets_one_beneath(tmp_path: Path, chosen: str) -> None:
    path = write_config(tmp_path / "mine.py", without_parameters(tmp_path))
    config = load_config(path, preset=chosen)
    assert config.prior["type"] == lookup(preset_values(chosen), PRIOR)
    assert config.input_iba.opt_steps == lookup(preset_values(chosen), STEPS)
    assert (config.preset, config.warnings) == (chosen, ())
    assert load_config(path).preset is None


def test_a_config_that_writes_everything_stays_as_it_is_with_a_warning(tmp_path: Path) -> None:
    everything = tiny_config(tmp_path)
    for section in ("feat_iba", "input_iba"):  # keys that published configs do not know
        everything["attribution_cfg"][section]["noise"] = "fresh"
    everything["attributor"]["input_iba"]["prior_odds"] = 0.0
    path = write_config(tmp_path / "published.py", everything)
    before = load_config(path)
    config = load_config(path, preset="fast")
    assert before.preset is None
    assert (config.prior, config.input_iba) == (before.prior, before.input_iba)
    assert config.feature_iba == before.feature_iba
    [warning] = config.warnings
    assert warning.startswith("--preset fast: the config's own values count for ")
    steps = lookup(preset_values("fast"), STEPS)
    assert f"{STEPS} (2, not {steps})" in warning
    assert f"{PRIOR} (VisionWGAN, not {lookup(preset_values('fast'), PRIOR)})" in warning
    assert "verbose" not in warning


def test_old_names_count_as_the_configs_own(tmp_path: Path) -> None:
    config = without_parameters(tmp_path)
    config["attribution_cfg"] = {"img_iba": {"opt_steps": 3}, "iba": {"beta": 31}}
    loaded = load_config(write_config(tmp_path / "old.py", config), preset="paper")
    assert (loaded.input_iba.opt_steps, loaded.feature_iba.beta) == (3, 31.0)


def test_values_for_the_prior_of_the_other_preset_are_dropped_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "preset_values", constant_fast)
    own = {"attribution_cfg": {"gan": {"epochs": 3}}}
    config = load_config(inheriting(tmp_path, "paper", **own), preset="fast")
    assert config.prior == {"type": "ConstantPrior", "value": 0.4}
    assert config.warnings == (
        "--preset fast: 'attribution_cfg.gan.epochs' of the config has no effect, because "
        "ConstantPrior takes no such key.",
    )
    bare = without_parameters(tmp_path) | own
    config = load_config(write_config(tmp_path / "bare.py", bare), preset="fast")
    assert config.prior == {"type": "ConstantPrior", "value": 0.4}
    assert "gan.epochs" in config.warnings[0]


def test_a_mistyped_key_is_refused_with_every_preset(tmp_path: Path) -> None:
    path = inheriting(tmp_path, "paper", attribution_cfg={"gan": {"epoch": 3}})
    for chosen in (None, *PRESETS):
        with pytest.raises(ConfigError, match="Unknown key 'epoch'"):
            load_config(path, preset=chosen)


def test_a_key_of_another_prior_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = inheriting(tmp_path, "paper", attributor={"gan": {"type": "ConstantPrior"}})
    said = "'epochs' in .* is a key of .*VisionWGAN, and the prior is ConstantPrior.*--preset paper"
    with pytest.raises(ConfigError, match=said):
        load_config(path, {"attribution_cfg.gan.epochs": 3})


@pytest.mark.parametrize("inherited", PRESETS)
@pytest.mark.parametrize("chosen", [None, *PRESETS])
@pytest.mark.parametrize("by_option", [True, False])
def test_another_prior_comes_without_the_presets_values_for_its_own(
    tmp_path: Path, inherited: str, chosen: str | None, by_option: bool
) -> None:
    own = {"attributor": {"gan": OTHER_PRIOR}}
    options = {f"attributor.gan.{key}": value for key, value in OTHER_PRIOR.items()}
    config = load_config(
        inheriting(tmp_path, inherited, **({} if by_option else own)),
        options if by_option else None,
        chosen,
    )
    assert config.prior == OTHER_PRIOR
    assert config.input_iba.opt_steps == lookup(preset_values(chosen or inherited), STEPS)


def test_options_count_over_the_preset(tmp_path: Path) -> None:
    config = load_config(inheriting(tmp_path, "fast"), {STEPS: 5}, "paper")
    assert config.input_iba.opt_steps == 5
    assert config.warnings == ()


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    path = inheriting(tmp_path, "fast")
    with pytest.raises(ConfigError, match=r"Unknown preset 'papers'\. Closest: 'paper'"):
        load_config(path, preset="papers")


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("inherited", [None, "fast_text", "paper_text", "fast"])
def test_text_has_presets_of_its_own(tmp_path: Path, preset: str, inherited: str | None) -> None:
    text = without_parameters(tmp_path)
    text["attributor"]["type"] = "NLPAttributor"
    path = tmp_path / "text.py"
    if inherited is None:
        write_config(path, text)
    else:
        write(path, (ROOT / "configs" / "_base_" / f"{inherited}.py").as_posix(), text)
    config = load_config(path, preset=preset)
    expected = preset_values(preset + TEXT)
    assert config.preset == preset
    assert config.prior["type"] == expected["attributor"]["gan"]["type"]
    assert config.feature_iba.beta == 15
    assert config.input_iba.opt_steps == {"fast": 16, "instant": 10, "paper": 30}[preset]
    assert config.input_iba.sigma == 0


def test_a_run_says_its_preset_and_is_not_continued_with_another(
    tmp_path: Path, pictures: Path, options: RunOptions
) -> None:
    path = tmp_path / "mine.py"
    base = (ROOT / "configs" / "_base_" / "fast.py").as_posix()
    write(path, base, without_parameters(pictures))
    options = replace(options, preset="paper")
    run_attribution(load_config(path, preset="paper"), options, lambda *_: FakeExplainer())
    assert options.work_dir is not None
    saved = options.work_dir / "config.py"
    assert "preset 'paper'" in saved.read_text().splitlines()[0]
    assert load_config(saved).digest() == load_config(path, preset="paper").digest()
    assert '"preset": "paper"' in (options.work_dir / "manifest.json").read_text()
    again = replace(options, resume=True, preset=None)
    with pytest.raises(ResumeError, match=r"(?s)-# .* preset 'paper'.*\+# .*'fast'"):
        run_attribution(load_config(path), again, lambda *_: FakeExplainer())


def constant_fast(name: str) -> dict[str, Any]:
    """Return a preset 'fast' with a prior of its own, whatever the file says."""
    values = preset_values(name)
    if name == "fast":
        values["attributor"]["gan"] = {"type": "ConstantPrior", "value": 0.4}
        values["attribution_cfg"]["gan"] = {}
    return values
