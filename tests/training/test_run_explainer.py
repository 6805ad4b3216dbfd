"""The training of a config's explainer: files, resuming, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from input_iba.attribution.amortised import read_explainer
from input_iba.config.load import load_config
from input_iba.errors import DataError, ResumeError
from input_iba.training import run_explainer as module
from input_iba.training.explainer import ExplainerTrainer
from input_iba.training.explainer_settings import ExplainerOptions, ExplainerTraining, Objective
from input_iba.training.run_explainer import (
    BEGUN,
    EXPLAINER,
    LESSONS,
    STATE,
    ExplainerResult,
    run_explainer,
)
from tests.tiny_runs import five_pictures, tiny_config, write_config, write_images

SETTINGS = ExplainerTraining(epochs=3, batch_size=4, others=0.5, seed=4)


def train(config: Path, work: Path, **changed: Any) -> ExplainerResult:
    """Train an explainer; what is `changed` are options, settings, or keys of the config."""
    options: dict[str, Any] = {"work_dir": work, "device": "cpu", "precision": "fp32"}
    for key in ("resume", "num_samples"):
        if key in changed:
            options[key] = changed.pop(key)
    overrides, objective = changed.pop("overrides", {}), changed.pop("objective", Objective())
    loaded = load_config(config, overrides)
    return run_explainer(
        loaded, replace(SETTINGS, **changed), objective, ExplainerOptions(**options)
    )


def weights(file: Path) -> dict[str, torch.Tensor]:
    return read_explainer(file).state_dict()


def assert_equal(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a config that no test changes."""
    root = tmp_path_factory.mktemp("shared")
    return write_config(root / "tiny.py", tiny_config(five_pictures(root / "data")))


@pytest.fixture(scope="module")
def whole(shared: Path) -> Path:
    """Return the folder of a whole training with it."""
    train(shared, shared.parent / "whole")
    return shared.parent / "whole"


def test_files_and_result(config_file: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    result = train(config_file, work)
    assert {path.name for path in work.iterdir()} == {
        *(EXPLAINER, STATE, BEGUN, LESSONS, "log_file.log", "config.py")
    }
    assert result.explainer == work / EXPLAINER
    assert 8 <= result.lessons <= 16
    assert result.divergence > 0
    log = (work / "log_file.log").read_text()
    assert re.search(r"An explainer for \w+ reads layer1, layer2, layer3", log)
    assert "Epoch 3/3" in log
    assert f"Learns from {result.lessons} maps of 8 inputs" in log


def test_the_best_epoch_is_kept(whole: Path) -> None:
    state = torch.load(whole / STATE, weights_only=True)
    assert state["epoch"] == 3
    assert state["best"] <= 0


@pytest.mark.parametrize("where", ["lessons", "first epoch", "second epoch"])
def test_a_training_that_was_interrupted_ends_as_if_it_was_not(
    where: str, whole: Path, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "broken"
    with monkeypatch.context() as patch:
        if where == "lessons":

            def stop(*_: Any, **__: Any) -> None:
                raise KeyboardInterrupt

            patch.setattr(module, "train", stop)
        else:
            own, left = ExplainerTrainer.update, [{"first epoch": 1, "second epoch": 4}[where]]

            def update(trainer: ExplainerTrainer) -> None:
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt
                own(trainer)

            patch.setattr(ExplainerTrainer, "update", update)
        with pytest.raises(KeyboardInterrupt):
            train(shared, work)
    assert (work / LESSONS / "0000000.pth").is_file()
    with pytest.raises(ResumeError, match=r"is there already\. Continue it with --resume"):
        train(shared, work)
    train(shared, work, resume=True)
    assert_equal(work / EXPLAINER, whole / EXPLAINER)
    train(shared, work, resume=True)  # nothing is left to do
    assert_equal(work / EXPLAINER, whole / EXPLAINER)


def test_a_seed_decides_everything(whole: Path, shared: Path, tmp_path: Path) -> None:
    train(shared, tmp_path / "again")
    assert_equal(tmp_path / "again" / EXPLAINER, whole / EXPLAINER)
    train(shared, tmp_path / "other", seed=5)
    one, other = (weights(folder / EXPLAINER) for folder in (whole, tmp_path / "other"))
    assert not torch.equal(one["decoder.image.weight"], other["decoder.image.weight"])


@pytest.mark.parametrize(
    "changed",
    [
        {"lr": 1e-3},
        {"epochs": 4},
        {"objective": Objective(behind=0.5)},
        {"num_samples": 6},
        {"overrides": {"attribution_cfg.input_iba.beta": 10}},
        {"overrides": {"estimation_cfg.n_samples": 4}},
        {"overrides": {"attributor.layer": "layer2"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_other_settings_do_not_continue_a_training(
    changed: dict[str, Any], whole: Path, shared: Path
) -> None:
    with pytest.raises(ResumeError):
        train(shared, whole, resume=True, **changed)


def test_a_bad_image_is_left_out(config_file: Path, pictures: Path, tmp_path: Path) -> None:
    bad = pictures / "estimation" / "cat" / "a.png"
    bad.write_bytes(bad.read_bytes()[:50])
    train(config_file, tmp_path / "work")
    log = (tmp_path / "work" / "log_file.log").read_text()
    assert "cat/a" in log or "a.png" in log
    assert "of 7 inputs" in log


def test_images_of_several_sizes_are_refused(
    config_file: Path, pictures: Path, tmp_path: Path
) -> None:
    write_images(pictures / "estimation" / "cat", ["large"], size=40)
    said = r"of one size; data\.estimation of '.*' has 2.*resize and crop"
    with pytest.raises(DataError, match=said):
        train(config_file, tmp_path / "work")
