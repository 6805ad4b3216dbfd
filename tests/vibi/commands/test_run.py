"""A run trains, resumes exactly, keeps what it says, and refuses to continue another's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from input_iba.cli.main import script
from input_iba.drawing import vibi_images
from input_iba.errors import CheckpointError, ConfigError, ResumeError
from input_iba.run.shell import Run
from input_iba.vibi import BlackBoxCopy, Fidelity, VibiTrainer
from input_iba.vibi.commands import run as commands_run
from input_iba.vibi.commands.config import VibiConfig, load_vibi_config
from input_iba.vibi.commands.folder import VibiResult
from input_iba.vibi.commands.options import VibiOptions
from input_iba.vibi.commands.prepared import load_vibi, prepare, read_checkpoint
from input_iba.vibi.commands.run import run_vibi, without_beta
from tests.vibi.commands.conftest import tiny_options


def run(config: VibiConfig, folder: Path, **options: Any) -> VibiResult:
    return run_vibi(config, VibiOptions(work_dir=folder, device="cpu", precision="fp32", **options))


def metrics(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def stop_in_epoch(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    train = VibiTrainer.train_epoch

    def stopping(self: VibiTrainer, epoch: int, *rest: Any) -> dict[str, float]:
        if epoch == number:
            raise KeyboardInterrupt
        return train(self, epoch, *rest)

    monkeypatch.setattr(VibiTrainer, "train_epoch", stopping)


@pytest.fixture(scope="module")
def finished(
    colours: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[VibiConfig, Path, VibiResult]:
    """Return a config, the folder that holds its finished run, and the result."""
    folder = tmp_path_factory.mktemp("finished")
    config = load_vibi_config(None, tiny_options(colours, folder))
    return config, folder, run(config, folder / "run")


def test_a_run_writes_what_the_documentation_lists(
    finished: tuple[VibiConfig, Path, VibiResult],
) -> None:
    _, folder, result = finished
    assert result.black_box_accuracy > 0.9
    assert result.test.approximator > 0.9
    assert result.test.samples == 20
    names = {path.name for path in (folder / "run").iterdir()}
    files = {"config.py", "manifest.json", "log_file.log", "metrics.jsonl", "results.json"}
    assert files | {"best.pth", "last.pth"} <= names
    lines = metrics(folder / "run")
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    keys = {"loss", "cross_entropy", "kl", "temperature", "lr", "seconds", "distance"}
    assert keys | {"approximator_fidelity", "rationale_fidelity"} <= lines[0].keys()
    manifest = json.loads((folder / "run/manifest.json").read_text())
    assert manifest["complete"]
    assert manifest["identity"]["seed"] == 0
    best = max(line["approximator_fidelity"] for line in lines)
    assert result.validation.approximator == best


def test_a_code_is_told_in_log_results_titles_and_at_the_end(
    finished: tuple[VibiConfig, Path, VibiResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config, folder, own = finished
    told = json.loads((folder / "run/results.json").read_text())["warning"]
    assert told == own.test.warning
    titles: list[str] = []

    def write_sheet(path: Path, tiles: object, heading: str, *_: object, **__: object) -> None:
        titles.append(heading)
        path.touch()

    monkeypatch.setattr(vibi_images, "write_sheet", write_sheet)
    code = Fidelity(0.97, 0.35, 0.1, 20)
    monkeypatch.setattr(commands_run, "measure_fidelity", lambda *_: code)
    found = run(config, tmp_path / "run")
    assert found.test == code != own.test
    assert "agree on a code" in (tmp_path / "run/log_file.log").read_text()
    results = json.loads((tmp_path / "run/results.json").read_text())
    assert results["warning"] == code.warning
    assert [code.note in title for title in titles] == [False, True, True, True]  # batch, maps
    again = run(config, tmp_path / "run", resume=True)  # what is complete is read
    assert again == found

    options = [f"{k}={v}" for k, v in tiny_options(Path(config.data.root), folder).items()]
    given = ["--work-dir", str(tmp_path / "run"), "--device", "cpu", "--precision", "fp32"]
    assert script("vibi train", [*given, "--resume_training", "--cfg-options", *options]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Approximator fidelity 97.00%")
    assert last.endswith(code.warning)


@pytest.mark.slow
def test_copies_of_the_black_box_start_with_its_weights(
    colours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = {"explainer.start": "black_box", "approximator.start": "black_box"}
    moved = {"training.flip": True, "training.padding": 1, "training.lr": 1e-3}
    config = load_vibi_config(None, tiny_options(colours, tmp_path) | starts | moved)
    ready = prepare(config, Run(torch.device("cpu"), None))
    for network in (ready.networks.vibi.explainer, ready.networks.vibi.approximator):
        assert isinstance(network, BlackBoxCopy)
        for name, values in network.classifier.state_dict().items():
            assert torch.equal(values, ready.networks.black_box.classifier.state_dict()[name]), name
    whole = run(config, tmp_path / "whole")
    assert whole.test.approximator > 0.9
    with monkeypatch.context() as patch:
        stop_in_epoch(1, patch)
        with pytest.raises(KeyboardInterrupt):
            run(config, tmp_path / "parts")
    parts = run(config, tmp_path / "parts", resume=True)
    assert parts.test == whole.test
    loaded = load_vibi(tmp_path / "whole/best.pth")
    found = loaded.vibi.top_k_inputs(torch.rand(1, *loaded.networks.input_shape))
    assert loaded.vibi.approximate(found).shape == (1, 2)


@pytest.mark.slow
def test_a_resumed_run_equals_an_uninterrupted_one(
    tiny: VibiConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tiny, tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_in_epoch(2, patch)
        with pytest.raises(KeyboardInterrupt):
            run(tiny, tmp_path / "parts")
    assert not (tmp_path / "parts/results.json").exists()
    parts = run(tiny, tmp_path / "parts", resume=True)
    assert (parts.test, parts.validation) == (whole.test, whole.validation)
    for name in ("best.pth", "last.pth"):
        one, other = (read_checkpoint(tmp_path / d / name) for d in ("whole", "parts"))
        assert one["epoch"] == other["epoch"]
        for key, values in one["vibi"].items():
            assert torch.equal(values, other["vibi"][key]), key
    times = ("seconds",)
    one_log, other_log = (
        [{k: v for k, v in line.items() if k not in times} for line in metrics(tmp_path / d)]
        for d in ("whole", "parts")
    )
    assert one_log == other_log


def test_a_complete_run_is_not_repeated(
    tiny: VibiConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(tiny, tmp_path / "run", save_best=True)
    assert not (tmp_path / "run/last.pth").exists()
    with pytest.raises(ResumeError, match="--resume_training"):
        run(tiny, tmp_path / "run")
    stop_in_epoch(0, monkeypatch)
    manifest = tmp_path / "run/manifest.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**said, "complete": False}))  # killed behind the results
    (tmp_path / "run/last.pth").touch()
    assert run(tiny, tmp_path / "run", resume=True, save_best=True) == first
    assert json.loads(manifest.read_text())["complete"] is True
    assert not (tmp_path / "run/last.pth").exists()
    other = replace(tiny, training=replace(tiny.training, beta=0.5))
    with pytest.raises(ResumeError, match=r"training\.beta: was 0\.0, now 0\.5"):
        run(other, tmp_path / "run", resume=True)


@pytest.mark.slow
def test_the_black_box_is_trained_once(tiny: VibiConfig, tmp_path: Path) -> None:
    run(tiny, tmp_path / "one")
    written = (tmp_path / "black_box.pth").stat().st_mtime_ns
    run(replace(tiny, training=replace(tiny.training, epochs=1)), tmp_path / "two")
    assert (tmp_path / "black_box.pth").stat().st_mtime_ns == written
    assert "is not trained again" in (tmp_path / "two/log_file.log").read_text()


def test_a_checkpoint_loads_to_the_same_explanations(
    finished: tuple[VibiConfig, Path, VibiResult],
) -> None:
    config, folder, _ = finished
    one, other = (load_vibi(folder / "run" / name) for name in ("best.pth", "last.pth"))
    assert one.class_names == ["green", "red"]
    assert one.networks.input_shape == [3, 8, 8]
    assert one.config == replace(config, name=one.config.name)
    pixels = torch.rand(20, 3, 8, 8)
    assert one.vibi.explain(pixels).shape == (20, 4)
    assert not other.vibi.training
    with pytest.raises(CheckpointError, match=r"best\.pth or"):
        load_vibi(folder / "run/config.py")


@pytest.mark.slow
def test_pictures_are_drawn_of_every_epoch_and_at_the_end(tiny: VibiConfig, tmp_path: Path) -> None:
    run(tiny, tmp_path / "run", save_images_every_epoch=True)
    pictures = tmp_path / "run/pictures"
    names = {"test_batch.png", "distribution.png", "top_k.png", "top_k_black_box.png"}
    for folder in (pictures / f"epoch_00{i}" for i in (1, 2, 3)):
        assert {path.name for path in folder.iterdir()} == names
    assert {path.name for path in pictures.glob("*.png")} == names | {"curves.png"}


@pytest.mark.slow
def test_a_jump_starts_from_the_setting_without_beta(tiny: VibiConfig, tmp_path: Path) -> None:
    work_dir = tmp_path / f"{tiny.name.replace('beta0', 'beta0_1')}"
    other = replace(tiny, name=work_dir.name, training=replace(tiny.training, beta=0.1))
    with pytest.raises(ConfigError, match="beta 0"):
        without_beta(other, work_dir)
    run(tiny, tmp_path / tiny.name)
    start = without_beta(other, work_dir)
    assert start == tmp_path / tiny.name / "best.pth"
    one_epoch = replace(other, training=replace(other.training, epochs=1, lr=1e-9))
    jumped = run(one_epoch, work_dir, jump_start=start)
    assert jumped.test.approximator > 0.9
