"""Samples that fail without taking the run along, and runs that are refused before any work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from input_iba.config.build import build_classifier, check_finite
from input_iba.config.load import RunConfig, load_config
from input_iba.errors import (
    AttributionError,
    CheckpointError,
    ConfigError,
    DataError,
    LayerNotFoundError,
)
from input_iba.run.options import RunOptions
from tests.commands.explain.running import IDS, bad_in, masks, records, work_of
from tests.tiny_runs import FakeExplainer, manifest, run


def test_a_bad_picture_is_skipped_and_reported(
    config: RunConfig, options: RunOptions, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = pictures / "attribution" / "dog" / "2.png"
    bad.write_bytes(bad.read_bytes()[:200])
    result, fake = run(config, options)
    assert (result.done, result.failed) == (4, 1)
    assert fake.calls == [IDS[:2], ["dog__1"], ["3"]]
    assert records(options)["dog__2"]["status"] == "failed"
    assert "dog__2 failed" in capsys.readouterr().err
    assert "failed: " in result.table
    assert not any("dog__2" in name for name in masks(options))
    assert manifest(options)["complete"] is False


def test_bad_estimation_pictures_are_left_out(
    config: RunConfig, options: RunOptions, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "estimation" / "cat" / "a.png").write_text("no picture")
    result, fake = run(config, options)
    assert (result.done, result.unread, fake.estimated) == (5, 1, 7)
    error = capsys.readouterr().err
    assert "Estimation sample cat__a is left out" in error
    assert "Only 7 of 8 estimation samples" in error


def test_few_estimation_samples_give_a_warning(
    config: RunConfig, options: RunOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config, options)
    assert "8 estimation samples are few" in capsys.readouterr().err


def test_an_unexpected_error_fails_its_sample_only(
    config: RunConfig, options: RunOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse = bad_in("dog__1", error=lambda: RuntimeError("out of luck"))
    result, fake = run(config, options, FakeExplainer(refuse))
    assert (result.done, result.failed) == (4, 1)
    assert fake.calls[1:4] == [["dog__1", "dog__2"], ["dog__1"], ["dog__2"]]
    error = capsys.readouterr().err
    assert "error: sample dog__1 failed: RuntimeError: out of luck" in error
    assert "Traceback" not in error
    log = (work_of(options) / "log_file.log").read_text()
    assert "Traceback" in log
    assert "out of luck" in log


def test_an_error_of_ours_needs_no_traceback(config: RunConfig, options: RunOptions) -> None:
    refuse = bad_in("3", error=lambda: AttributionError("the target does not depend on it"))
    run(config, options, FakeExplainer(refuse))
    assert records(options)["3"]["reason"] == "the target does not depend on it"
    assert "Traceback" not in (work_of(options) / "log_file.log").read_text()


def test_a_subset_of_unknown_names_is_refused(
    config: RunConfig, options: RunOptions, tmp_path: Path
) -> None:
    (tmp_path / "subset.txt").write_text("dgo__1\n")
    with pytest.raises(DataError, match="dog__1"):
        run(config, replace(options, subset_file=tmp_path / "subset.txt"))


@pytest.mark.slow
def test_an_unknown_layer_is_named_before_any_work(
    config_file: Path, options: RunOptions, tmp_path: Path
) -> None:
    config = load_config(config_file, {"attributor.layer": "layr1"})
    with pytest.raises(LayerNotFoundError, match="'layer1'"):
        run(config, options)
    run(load_config(config_file), options)  # the failed start does not block the folder


@pytest.mark.parametrize(
    ("key", "value", "kind", "said"),
    [
        ("data.attribution.img_root", "nowhere", DataError, "nowhere.*'data.attribution'"),
        ("data.estimation.img_root", "nowhere", DataError, "nowhere.*'data.estimation'"),
        ("data.attribution.type", "ImgFolder", ConfigError, "'ImageFolder'.*'data.attribution'"),
        ("data.attribution.img_rot", "x", ConfigError, "Closest: 'img_root'"),
        ("data.attribution.pipeline", [{"type": "Resise"}], ConfigError, "Closest: 'Resize'"),
        ("attributor.classifier.type", "ResNt", ConfigError, "'ResNet'.*'attributor.classifier'"),
        ("attributor.classifier.dept", 8, ConfigError, "Closest: 'depth'"),
    ],
)
def test_what_cannot_be_built_names_its_section(
    config_file: Path, options: RunOptions, key: str, value: Any, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=f"(?s){said}"):
        run(load_config(config_file, {key: value}), options)


def test_nan_in_the_weights_is_refused(
    config_file: Path, options: RunOptions, tmp_path: Path
) -> None:
    model = build_classifier(load_config(config_file))
    model.state_dict()["linear.weight"][0, 0] = torch.nan
    with pytest.raises(CheckpointError, match=r"1 of \d+ values of 'linear\.weight'"):
        check_finite(model)
    torch.save(model.state_dict(), tmp_path / "bad.pth")
    config = load_config(
        config_file, {"attributor.classifier.pretrained": str(tmp_path / "bad.pth")}
    )
    with pytest.raises(CheckpointError, match=r"NaN or infinity.*linear\.weight"):
        run(config, options)
