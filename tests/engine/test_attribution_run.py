"""The run over a data set, with an explainer that needs no time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from input_iba.engine.attribution_run import RunResult, run_attribution
from input_iba.engine.build import build_classifier, check_finite
from input_iba.engine.config import RunConfig, load_config
from input_iba.engine.options import RunOptions
from input_iba.errors import (
    AttributionError,
    CheckpointError,
    ConfigError,
    DataError,
    LayerNotFoundError,
    ResumeError,
)
from tests.engine.conftest import FakeExplainer, Refuse, manifest, write_images

IDS = ["cat__1", "cat__2", "dog__1", "dog__2", "3"]


def run(
    config: RunConfig, options: RunOptions, refuse: Refuse | None = None
) -> tuple[RunResult, FakeExplainer]:
    fake = FakeExplainer(refuse)
    return run_attribution(config, options, lambda *_: fake), fake


def work_of(options: RunOptions) -> Path:
    assert options.work_dir is not None
    return options.work_dir


def records(options: RunOptions) -> dict[str, dict[str, Any]]:
    lines = (work_of(options) / "records.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert len({record["id"] for record in found}) == len(found)
    return {record["id"]: record for record in found}


def masks(options: RunOptions) -> dict[str, bytes]:
    root = work_of(options)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in ("input_masks", "feat_masks", "prior_masks", "images", "overlays")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }


def test_a_run_leaves_masks_pictures_records_and_a_page(
    config: RunConfig, options: RunOptions
) -> None:
    result, fake = run(config, options)
    work = work_of(options)
    assert (result.done, result.failed) == (5, 0)
    assert list(records(options)) == IDS
    assert fake.calls == [IDS[:2], IDS[2:4], IDS[4:]]
    assert fake.targets == [[0, 0], [1, 1], [1]]
    assert {path.name for path in work.iterdir()} == {
        *("config.py", "log_file.log", "manifest.json", "records.jsonl", "report.html"),
        *("feature_statistics.npz", "input_masks", "feat_masks", "prior_masks"),
        *("images", "overlays"),
    }
    assert {path.name for path in (work / "input_masks").iterdir()} == {
        f"{id_}{ending}" for id_ in IDS for ending in (".npz", ".png", ".JPEG")
    }
    assert result.report == work / "report.html"
    assert all(id_ in result.table and id_ in result.report.read_text() for id_ in IDS)


def test_masks_are_floats_in_range_with_an_eight_bit_preview(
    config: RunConfig, options: RunOptions
) -> None:
    run(config, options)
    work = work_of(options)
    with np.load(work / "input_masks" / "cat__1.npz") as arrays:
        mask = arrays["mask"]
    assert (mask.dtype, mask.shape) == (np.float32, (32, 32))
    assert 0 <= mask.min() < mask.max() <= 1
    with Image.open(work / "input_masks" / "cat__1.png") as preview:
        assert preview.mode == "L"
        np.testing.assert_array_equal(np.asarray(preview), np.round(mask * 255))
    with np.load(work / "feat_masks" / "cat__1.npz") as arrays:
        np.testing.assert_allclose(arrays["mask"], 3 * mask, rtol=1e-6)
    with Image.open(work / "images" / "cat__1.jpg") as photograph:
        assert photograph.size == (32, 32)


def test_records_and_manifest_say_what_was_done(config: RunConfig, options: RunOptions) -> None:
    run(config, options)
    record = records(options)["dog__1"]
    assert (record["target"], record["class_name"], record["status"]) == (1, "dog", "done")
    assert record["predicted_class_name"] == "dog"
    assert record["path"].endswith("dog/1.png")
    assert record["losses"] == {"input_iba/target": [1.0, 0.123457]}
    values = manifest(options)
    assert (values["complete"], values["done"], values["failed"]) == (True, 5, 0)
    assert values["identity"]["config"] == config.digest()
    assert values["identity"]["precision"] == "fp32"
    assert values["options"]["device"] == "cpu"


def test_class_folders_keep_ids_apart(config: RunConfig, options: RunOptions) -> None:
    run(config, replace(options, out_style="image_folder"))
    assert (work_of(options) / "input_masks" / "dog" / "3.npz").is_file()
    assert (work_of(options) / "feat_masks" / "cat" / "cat__1.JPEG").is_file()


def test_a_feature_mask_without_upscaling_has_the_layers_resolution(
    config_file: Path, options: RunOptions
) -> None:
    config = load_config(config_file, {"attribution_cfg.feat_mask.upscale": False})
    run(config, options)
    with np.load(work_of(options) / "feat_masks" / "3.npz") as arrays:
        assert arrays["mask"].shape == (8, 8)


def test_odd_file_names_become_safe_files_and_work_as_links(
    config: RunConfig, options: RunOptions, pictures: Path
) -> None:
    names = ["a b#c?%d", "Katze_猫", "<i>&", "UPPER", "upper"]
    write_images(pictures / "attribution" / "cat", names)
    result, _ = run(config, options)
    assert result.done == 10
    found = records(options)
    assert all(
        (work_of(options) / f).is_file() for r in found.values() for f in r["files"].values()
    )
    assert "<i>&.png" not in result.report.read_text()
    lower = [r["files"]["input_mask"].casefold() for r in found.values()]
    assert len(set(lower)) == 10


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


def test_pictures_of_unequal_shape_are_explained_apart(
    config: RunConfig, options: RunOptions, pictures: Path
) -> None:
    write_images(pictures / "attribution" / "cat", ["1"], size=48)
    result, fake = run(config, options)
    assert result.done == 5
    assert fake.calls[:2] == [["cat__1"], ["cat__2"]]


def bad_in(*bad: str, error: Callable[[], BaseException]) -> Refuse:
    def refuse(ids: Sequence[str]) -> BaseException | None:
        return error() if set(ids) & set(bad) else None

    return refuse


def test_an_unexpected_error_fails_its_sample_only(
    config: RunConfig, options: RunOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse = bad_in("dog__1", error=lambda: RuntimeError("out of luck"))
    result, fake = run(config, options, refuse)
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
    run(config, options, refuse)
    assert records(options)["3"]["reason"] == "the target does not depend on it"
    assert "Traceback" not in (work_of(options) / "log_file.log").read_text()


@pytest.mark.parametrize("moment", ["between", "within"])
def test_an_interrupted_run_is_valid_and_resumes_to_the_same_files(
    config: RunConfig, options: RunOptions, tmp_path: Path, moment: str
) -> None:
    whole = replace(options, work_dir=tmp_path / "whole")
    run(config, whole)
    stop = bad_in("dog__1" if moment == "between" else "3", error=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run(config, options, stop)
    values = manifest(options)
    assert values["complete"] is False
    assert values["done"] == (2 if moment == "between" else 4)
    assert "Partial" in (work_of(options) / "report.html").read_text()
    result, fake = run(config, replace(options, resume=True))
    assert (result.done, fake.calls[-1]) == (5, ["3"])
    assert fake.estimated == 0  # the statistics were kept
    assert masks(options) == masks(whole)
    assert manifest(options)["complete"] is True
    assert list(records(options)) == IDS


def test_a_half_done_batch_is_computed_whole_and_saved_in_part(
    config: RunConfig, options: RunOptions
) -> None:
    run(config, options)
    lost = work_of(options) / "input_masks" / "dog__2.npz"
    kept = work_of(options) / "input_masks" / "dog__1.npz"
    lost.unlink()
    before = kept.stat().st_mtime_ns
    result, fake = run(config, replace(options, resume=True))
    assert fake.calls == [["dog__1", "dog__2"]]
    assert lost.is_file()
    assert kept.stat().st_mtime_ns == before
    assert result.done == 5


def test_resuming_a_complete_run_only_reports(config: RunConfig, options: RunOptions) -> None:
    first, _ = run(config, options)
    second, fake = run(config, replace(options, resume=True))
    assert second.table == first.table
    assert (fake.calls, fake.estimated) == ([], 0)


def test_failed_samples_are_tried_again(
    config: RunConfig, options: RunOptions, pictures: Path
) -> None:
    run(config, options, bad_in("3", error=lambda: RuntimeError("memory")))
    result, fake = run(config, replace(options, resume=True))
    assert (result.done, result.failed, fake.calls) == (5, 0, [["3"]])
    assert records(options)["3"]["reason"] == ""


def test_other_settings_of_masks_are_refused(
    config: RunConfig, config_file: Path, options: RunOptions, pictures: Path
) -> None:
    run(config, options)
    before = masks(options)
    again = replace(options, resume=True)
    with pytest.raises(ResumeError, match="--resume, or choose another"):
        run(config, options)
    with pytest.raises(ResumeError, match=r"(?s)-.*beta=20.*\+.*beta=30"):
        run(load_config(config_file, {"attribution_cfg.input_iba.beta": 30}), again)
    with pytest.raises(ResumeError, match="--seed: was 0, now 7"):
        run(config, replace(again, seed=7))
    with pytest.raises(ResumeError, match="--precision: was fp32, now bf16"):
        run(config, replace(again, precision="bf16"))
    write_images(pictures / "attribution" / "cat", ["new"])
    with pytest.raises(ResumeError, match=r"data\.attribution"):
        run(config, again)
    assert masks(options) == before


def test_a_subset_is_explained_under_the_same_names(
    config: RunConfig, options: RunOptions, tmp_path: Path
) -> None:
    subset = tmp_path / "subset.txt"
    subset.write_text("dog__1\n3\n")
    result, fake = run(config, replace(options, subset_file=subset))
    assert (result.done, fake.calls) == (2, [["dog__1", "3"]])


def test_a_subset_of_unknown_names_is_refused(
    config: RunConfig, options: RunOptions, tmp_path: Path
) -> None:
    (tmp_path / "subset.txt").write_text("dgo__1\n")
    with pytest.raises(DataError, match="dog__1"):
        run(config, replace(options, subset_file=tmp_path / "subset.txt"))


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


def test_show_without_a_display_is_a_warning(
    config_file: Path,
    options: RunOptions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    result, _ = run(load_config(config_file, {"attribution_cfg.input_mask.show": True}), options)
    assert result.done == 5
    assert "no display" in capsys.readouterr().err


def test_workers_that_read_ahead_change_nothing(
    config_file: Path, config: RunConfig, options: RunOptions, tmp_path: Path, pictures: Path
) -> None:
    (pictures / "attribution" / "cat" / "2.png").write_text("no picture")
    run(config, options)
    other = replace(options, work_dir=tmp_path / "other")
    result, _ = run(load_config(config_file, {"data.data_loader.num_workers": 2}), other)
    assert (result.done, result.failed) == (4, 1)
    assert masks(other) == masks(options)
