"""A few images of ImageNet through the command, with a classifier that knows them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from input_iba.cli.main import script

CONFIG = Path(__file__).parents[3] / "configs" / "efficientnet_lite0_imagenet.py"
pytestmark = [pytest.mark.slow, pytest.mark.data]


def test_images_of_imagenet_are_explained_and_a_broken_one_is_reported(
    data_root: Path, tmp_path: Path
) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    source = data_root / "imagenet"
    classes = sorted((source / "images" / "attribution").iterdir())[:2]
    for folder in classes:
        target = tmp_path / "images" / folder.name
        target.mkdir(parents=True)
        picture = sorted(folder.iterdir())[0]
        (target / picture.name).write_bytes(picture.read_bytes())
    broken = tmp_path / "images" / classes[0].name / "broken.JPEG"
    broken.write_bytes(picture.read_bytes()[:3000])
    status = script(
        "attribute",
        [
            *(str(CONFIG), "--work-dir", str(tmp_path / "work"), "--device", "cpu"),
            *("--precision", "fp32", "--preset", "paper", "--cfg-options"),
            f"data.estimation.img_root={source / 'images' / 'estimation'}",
            f"data.estimation.ind_to_cls_file={source / 'imagenet_class_index.json'}",
            f"data.attribution.img_root={tmp_path / 'images'}",
            f"data.attribution.ind_to_cls_file={source / 'imagenet_class_index.json'}",
            *("data.attribution.with_bbox=False", "estimation_cfg.n_samples=20"),
            *("attribution_cfg.feat_iba.batch_size=4", "attribution_cfg.gan.dataset_size=8"),
            *("attribution_cfg.gan.sub_dataset_size=4", "attribution_cfg.gan.batch_size=4"),
            *("attribution_cfg.gan.epochs=1", "attribution_cfg.input_iba.batch_size=2"),
            "attribution_cfg.input_iba.opt_steps=5",
        ],
    )
    assert status == 1
    lines = (tmp_path / "work" / "records.jsonl").read_text().splitlines()
    records = {record["id"]: record for record in map(json.loads, lines)}
    assert records.pop("broken")["status"] == "failed"
    assert len(records) == 2
    for record in records.values():
        assert record["target_probability"] > 0.01
        with np.load(tmp_path / "work" / record["files"]["feature_mask"]) as arrays:
            assert arrays["mask"].shape == (224, 224)
            assert arrays["mask"].max() > 3 * arrays["mask"].mean() > 0
