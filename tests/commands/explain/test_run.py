"""What a run over a data set leaves behind, with an explainer that needs no time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from input_iba.config.load import RunConfig, load_config
from input_iba.run.options import RunOptions
from tests.commands.explain.running import IDS, masks, records, work_of
from tests.tiny_runs import manifest, run, write_images


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
        *("feature_statistics.npz", "maps", "input_masks", "feat_masks", "prior_masks"),
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
    with Image.open(work / "images" / "cat__1.jpg") as image:
        assert image.size == (32, 32)


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


@pytest.mark.parametrize("name", ["input_mask", "img_mask"])
def test_an_input_mask_has_the_inputs_resolution_and_a_warning_says_so(
    config_file: Path, options: RunOptions, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    run(load_config(config_file, {f"attribution_cfg.{name}.upscale": False}), options)
    assert "'attribution_cfg.input_mask.upscale=False' has no effect" in capsys.readouterr().err
    with np.load(work_of(options) / "input_masks" / "3.npz") as arrays:
        assert arrays["mask"].shape == (32, 32)


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


def test_pictures_of_unequal_shape_are_explained_apart(
    config: RunConfig, options: RunOptions, pictures: Path
) -> None:
    write_images(pictures / "attribution" / "cat", ["1"], size=48)
    result, fake = run(config, options)
    assert result.done == 5
    assert fake.calls[:2] == [["cat__1"], ["cat__2"]]


def test_a_subset_is_explained_under_the_same_names(
    config: RunConfig, options: RunOptions, tmp_path: Path
) -> None:
    subset = tmp_path / "subset.txt"
    subset.write_text("dog__1\n3\n")
    result, fake = run(config, replace(options, subset_file=subset))
    assert (result.done, fake.calls) == (2, [["dog__1", "3"]])


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


@pytest.mark.slow
def test_workers_that_read_ahead_change_nothing(
    config_file: Path, config: RunConfig, options: RunOptions, tmp_path: Path, pictures: Path
) -> None:
    (pictures / "attribution" / "cat" / "2.png").write_text("no picture")
    run(config, options)
    other = replace(options, work_dir=tmp_path / "other")
    result, _ = run(load_config(config_file, {"data.data_loader.num_workers": 2}), other)
    assert (result.done, result.failed) == (4, 1)
    assert masks(other) == masks(options)
