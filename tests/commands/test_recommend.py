"""`input-iba recommend`: it goes on, and writes a config that runs and says what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from input_iba.cli.main import main
from input_iba.commands.recommend.options import RecommendOptions
from input_iba.commands.recommend.run import recommended
from input_iba.config.literal import literal_only
from input_iba.config.load import load_config
from tests.tiny_runs import tiny_config, write_config, write_images

KEYS = ["--minutes", "0.000001", "--least-probable", "0", "--n-estimation", "8"]
KEYS += ["--precision", "fp32", "--tried-samples", "4", "--held-out", "4"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the tiny config with eight pictures to explain."""
    for i, name in enumerate(("cat", "dog")):
        write_images(tmp_path / "data/estimation" / name, "abcd", seed=i)
        write_images(tmp_path / "data/attribution" / name, [f"{name}{n}" for n in range(4)], 10 + i)
    config = tiny_config(tmp_path / "data")
    config["attributor"]["classifier"]["width"] = 4
    config["attributor"]["gan"] = {"type": "SaliencyPrior"}
    config["attribution_cfg"]["gan"] = {}
    return write_config(tmp_path / "tiny.py", config)


def recommend(file: Path, out: Path, *more: str) -> int:
    return main(["recommend", str(file), "--work-dir", str(out), *KEYS, *more])


def test_a_config_is_written_that_attribute_runs(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert recommend(file, out, "--safe-config", "--examples", "1") == 0
    said = capsys.readouterr().out
    assert "On samples held out" in said
    assert str(out / "recommended.py") in said
    assert said.startswith("Tried\n")
    assert (out / "recommend.png").read_bytes().startswith(b"\x89PNG")
    assert "Maps of samples held out" in (out / "recommend.html").read_text()
    with literal_only():
        load_config(out / "recommended.py")
    run = ["attribute", str(out / "recommended.py"), "--safe-config", "--num-samples", "1"]
    assert main([*run, "--work-dir", str(tmp_path / "run")]) == 0
    assert len(list((tmp_path / "run/maps").glob("*.npz"))) == 1


def test_what_was_measured_is_not_computed_again(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert recommend(file, out, "--examples", "0") == 0
    rows, config = (out / "recommend.rows.jsonl").read_bytes(), (out / "recommended.py").read_text()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("explained again")

    monkeypatch.setattr("input_iba.attribution.recommend.trials.Trials.maps", refuse)
    assert recommend(file, out, "--examples", "0") == 0
    assert (out / "recommend.rows.jsonl").read_bytes() == rows
    assert (out / "recommended.py").read_text() == config


def test_rows_of_another_config_are_not_gone_on_with(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert recommend(file, tmp_path / "out", "--examples", "0") == 0
    more = ["--cfg-options", "attribution_cfg.input_iba.opt_steps=1"]
    assert recommend(file, tmp_path / "out", *more) == 2
    assert "config_hash" in capsys.readouterr().err


def test_too_few_samples_end_with_status_2(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert recommend(file, tmp_path / "out", "--least-probable", "1") == 2
    assert "needs 8 samples" in capsys.readouterr().err


@pytest.mark.parametrize("preset", [None, "fast"])
def test_the_written_config_says_what_was_tried(file: Path, preset: str | None) -> None:
    base = load_config(file, preset=preset)
    changes = {
        "attributor.layer": "layer2",
        "attributor.gan": {"type": "ConstantPrior", "value": 0.5},
        "attribution_cfg.input_iba.beta": 2.0,
        "attribution_cfg.map.contrast": 2.0,
    }
    over = {"attribution_cfg.feat_iba.beta": 7.0}
    text = recommended(base, RecommendOptions(preset=preset, cfg_options=over), changes)
    copy = file.with_name("copy.py")
    copy.write_text(text)
    with literal_only():
        found = load_config(copy)
    assert found.layer == "layer2"
    assert found.prior == {"type": "ConstantPrior", "value": 0.5}
    assert (found.feature_iba.beta, found.input_iba.beta) == (7.0, 2.0)
    assert found.reading.contrast == 2.0
    assert found.attribution_data == base.attribution_data
