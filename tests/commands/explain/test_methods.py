"""Other methods through the run: settings from the config, files, resumption, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from input_iba.attribution.amortised import Explainer, write_explainer
from input_iba.attribution.methods import (
    IBA,
    CoIBA,
    DeepShap,
    ExtremalPerturbation,
    GradCam,
    Lime,
    MethodAttributor,
    Rise,
)
from input_iba.cli.explain import METHODS
from input_iba.cli.main import script
from input_iba.commands.explain.estimation import provide_background
from input_iba.commands.explain.run import run_attribution
from input_iba.commands.figure.grid import figure_grid
from input_iba.commands.figure.options import GridOptions
from input_iba.config.build import build_attributor, build_classifier, build_datasets
from input_iba.config.load import RunConfig, load_config
from input_iba.config.other_method import with_baseline
from input_iba.errors import ConfigError, LayerNotFoundError, MissingExtraError, ResumeError
from input_iba.modality import VisionModality
from input_iba.run.options import RunOptions
from tests.attribution.methods.settings import ATTENTION, explaining
from tests.commands.evaluating import prepare
from tests.tiny_runs import manifest, tiny_config, write_config

QUICK = {
    "smooth_grad": ["baseline.n_samples=3"],
    "int_grad": ["baseline.n_steps=3"],
    "smooth_int_grad": ["baseline.n_samples=2", "baseline.n_steps=3"],
    "blur_int_grad": ["baseline.n_steps=3"],
    "expected_gradients": ["baseline.n_samples=5", "baseline.n_background=3"],
    "deep_shap": ["baseline.n_background=3"],
    "occlusion": ["baseline.window=0.5", "baseline.stride=0.5"],
    "lime": ["baseline.n_samples=10", "baseline.tiles=3"],
    "kernel_shap": ["baseline.n_samples=10", "baseline.tiles=3"],
    "rise": ["baseline.n_masks=5"],
    "ex_perturb": ["baseline.n_steps=2", "baseline.areas=[0.1,0.2]"],
}


def with_explainer(config_file: Path, folder: Path) -> list[str]:
    """Write a classifier's weights and an untrained explainer for them; return the options."""
    model, weights = build_classifier(load_config(config_file)), folder / "weights.pth"
    torch.save(model.state_dict(), weights)
    explainer = explaining(model, VisionModality(), torch.zeros(2, 3, 32, 32)).explainer
    assert isinstance(explainer, Explainer)
    file = write_explainer(folder / "explainer.safetensors", explainer)
    return [f"attributor.classifier.pretrained={weights}", f"baseline.explainer={file}"]


def loaded(config: RunConfig, section: dict[str, Any]) -> RunConfig:
    return replace(config, raw={**config.raw, "baseline": section})


def masks(work: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((work / "input_masks").iterdir())}


@pytest.mark.parametrize("method", sorted(ATTENTION))
def test_methods_for_transformers_fail_on_other_networks_and_say_so(
    method: str, config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--work-dir", str(tmp_path / method), "--device", "cpu", "--precision", "fp32"]
    assert script("baseline", [str(config_file), method, *options]) == 1
    assert f"Method {method!r} reads attention, and CifarResNet" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("method", [name for name in METHODS if name not in ATTENTION])
def test_every_method_leaves_what_evaluations_read(
    method: str, config_file: Path, tmp_path: Path
) -> None:
    work = tmp_path / method
    options = ["--work-dir", str(work), "--device", "cpu", "--precision", "fp32"]
    quick = QUICK.get(method, [])
    if method == "amortised":
        quick = with_explainer(config_file, tmp_path)
    given = ["--cfg-options", *quick] if quick else []
    assert script("baseline", [str(config_file), method, *options, *given]) == 0
    values = json.loads((work / "manifest.json").read_text())
    assert (values["complete"], values["done"], values["method"]) == (True, 5, method)
    records = [json.loads(line) for line in (work / "records.jsonl").read_text().splitlines()]
    for record in records:
        assert record["files"].keys() == {
            *("input_mask", "input_mask_png", "input_mask_picture"),
            *("photograph", "overlay", "heat"),
        }
        assert all((work / file).is_file() for file in record["files"].values())
        with np.load(work / record["files"]["input_mask"]) as arrays:
            mask = arrays["mask"]
        assert (mask.shape, mask.dtype) == ((32, 32), np.float32)
        assert np.isfinite(mask).all()
        assert record["peak"] > 0
        assert 0 <= record["target_probability"] <= 1
        assert list(record["seconds"]) == [method]
    assert method in (work / "report.html").read_text()
    if method == "grad_cam":
        figure_grid(GridOptions(work_dirs=(work,), out=tmp_path / "sheet.png"))
        assert (tmp_path / "sheet.png").stat().st_size > 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["input_x_gradient", "grad_cam"])
def test_evaluation_commands_read_the_maps(method: str, tmp_path: Path) -> None:
    made = prepare(tmp_path)
    work = tmp_path / method
    fixed = ["--work-dir", str(work), "--device", "cpu", "--precision", "fp32"]
    assert script("baseline", [str(made.config), method, *fixed]) == 0
    of_method = replace(made, maps=work)
    for metric, options in {
        "ehr": (),
        "insertion_deletion": ("--pixel-batch-size", "256"),
        "sensitivity_n": ("--log-n-max", "1", "--log-n-ticks", "0.5", "--num-masks", "4"),
        "degradation": (),
        "localisation": (),
    }.items():
        assert of_method.run(metric, f"{metric}.json", *options) == 0
        found = of_method.result(metric)
        assert (found["complete"], len(found["rows"])) == (True, 4)


def test_settings_come_from_the_section_of_the_config(config: RunConfig) -> None:
    section = {"type": "rise", "n_masks": 50, "keep": 0.3}
    found = with_baseline(loaded(config, section), "rise")
    assert found.baseline == Rise(n_masks=50, keep=0.3)
    assert found.raw["baseline"] == section
    assert found.digest() != with_baseline(config, "rise").digest()
    assert found.draws_per_sample == 50


def test_the_section_of_another_method_has_no_effect_but_options_do(config: RunConfig) -> None:
    section = {"type": "occlusion", "fill": 1.0, "tiles": 3}
    found = with_baseline(loaded(config, section), "lime", overrides={"baseline.tiles": 3})
    assert found.baseline == Lime(tiles=3)
    assert "'occlusion' and has no effect" in found.warnings[-1]


def test_lists_of_numbers_and_whole_numbers_fit(config: RunConfig) -> None:
    section = {"type": "ex_perturb", "areas": [0.1, 0.3], "lr": 1}
    found = with_baseline(loaded(config, section), "ex_perturb")
    assert found.baseline == ExtremalPerturbation(areas=(0.1, 0.3), lr=1.0)
    layers = {"type": "coiba", "layers": ["layer1", "layer2"]}
    found = with_baseline(loaded(config, layers), "coiba")
    assert found.baseline == CoIBA(layers=("layer1", "layer2"))


def test_layers_come_from_the_option_or_the_config(config: RunConfig) -> None:
    assert with_baseline(config, "grad_cam").baseline == GradCam()
    assert with_baseline(config, "grad_cam", "layer2").baseline == GradCam(layer="layer2")
    iba = with_baseline(config, "iba").baseline
    assert isinstance(iba, IBA)
    assert (iba.layer, iba.feature_iba) == ("layer1", config.feature_iba)


@pytest.mark.parametrize(
    ("method", "section", "layer", "said"),
    [
        ("gradcam", {}, None, "Unknown baseline type 'gradcam'. Closest: 'grad_cam'"),
        ("rise", {"n_mask": 3}, None, "Unknown key 'n_mask' .* Closest: 'n_masks'"),
        ("rise", {"n_masks": 0.5}, None, "must be of type int"),
        ("rise", {"keep": 2.0}, None, "baseline.keep.* must be .* below 1"),
        ("ex_perturb", {"areas": ["a"]}, None, "every item of .* must be of type float"),
        ("rise", {}, "layer1", "--saliency-layer has no effect: 'rise' looks at no layer"),
        ("iba", {"feature_iba": {}}, None, "Unknown key 'feature_iba'"),
    ],
)
def test_what_cannot_be_is_refused(
    config: RunConfig, method: str, section: dict[str, Any], layer: str | None, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        with_baseline(loaded(config, section), method, layer)


@pytest.mark.slow
def test_a_stopped_run_resumes_to_the_same_files(config: RunConfig, options: RunOptions) -> None:
    rise = with_baseline(loaded(config, {"n_masks": 6}), "rise")
    run_attribution(rise, options)
    work = options.work_dir
    assert work is not None
    whole = masks(work)
    lines = (work / "records.jsonl").read_text().splitlines(keepends=True)
    (work / "records.jsonl").write_text("".join(lines[:3]))
    (work / "input_masks" / "cat__2.npz").unlink()
    result = run_attribution(rise, replace(options, resume=True))
    assert (result.done, result.failed) == (5, 0)
    assert masks(work) == whole
    with pytest.raises(ResumeError, match="n_masks"):
        other = with_baseline(loaded(config, {"n_masks": 7}), "rise")
        run_attribution(other, replace(options, resume=True))
    with pytest.raises(ResumeError, match="baseline"):
        run_attribution(with_baseline(config, "random"), replace(options, resume=True))


def test_num_samples_draws_those_that_evaluations_draw(
    config: RunConfig, options: RunOptions
) -> None:
    from input_iba.commands.evaluate.samples import select

    run_attribution(with_baseline(config, "random"), replace(options, num_samples=2, seed=3))
    _, dataset = build_datasets(config)
    drawn = select(dataset.ids, None, 2, 3).ids
    assert manifest(options)["samples"] == 2
    assert options.work_dir is not None
    found = {path.stem for path in (options.work_dir / "input_masks").glob("*.npz")}
    assert found == set(drawn)


def test_the_background_is_spread_over_the_estimation_set(
    config: RunConfig, pictures: Path
) -> None:
    rise = with_baseline(loaded(config, {"n_background": 4}), "deep_shap")
    estimation_set, _ = build_datasets(rise)
    classifier = build_classifier(rise)
    explainer = build_attributor(rise, classifier, torch.device("cpu"), None)
    assert isinstance(explainer, MethodAttributor)
    assert provide_background(explainer, estimation_set) == 0
    assert explainer.background is not None
    chosen = torch.stack([estimation_set[i].input for i in (0, 2, 4, 6)])
    assert torch.equal(explainer.background, chosen)
    bad = pictures / "estimation" / "cat" / "c.png"
    bad.write_bytes(b"no picture")
    assert provide_background(explainer, estimation_set) == 1
    assert len(explainer.background) == 3
    assert DeepShap().rows_per_sample == 20


@pytest.mark.slow
def test_wrong_layers_and_missing_packages_end_before_anything_is_written(
    config: RunConfig, options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LayerNotFoundError, match="layer9"):
        run_attribution(with_baseline(config, "grad_cam", "layer9"), options)
    monkeypatch.setitem(__import__("sys").modules, "captum.attr", None)
    with pytest.raises(MissingExtraError, match="baselines"):
        run_attribution(with_baseline(config, "int_grad"), options)
    assert options.work_dir is not None
    assert not (options.work_dir / "manifest.json").exists()


def test_a_config_with_a_section_still_runs_the_three_stages(tmp_path: Path) -> None:
    values = tiny_config(tmp_path) | {"baseline": {"type": "rise"}}
    assert load_config(write_config(tmp_path / "c.py", values)).baseline is None
