"""ImageFolder and ImageNet: what is found, and what is said about what is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from input_iba.datasets import SampleDataset, build_dataset
from input_iba.errors import ConfigError, DataError, InputIBAError
from tests.datasets.pictures import gradient, write, write_boxes


def folder(root: Path, **keys: Any) -> SampleDataset:
    return build_dataset({"type": "ImageFolder", "img_root": str(root), "pipeline": [], **keys})


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    root = tmp_path / "animals"
    for name in ("dog/2.png", "dog/1.png", "cat/1.png", "cat/3.PNG"):
        write(root / name)
    write(root / "cat/skipped.bmp")
    (root / ".hidden").mkdir()
    (root / "cat/.3.png").write_text("a resource fork")
    return root


def test_image_folder(animals: Path) -> None:
    dataset = folder(animals)
    assert dataset.class_names == ["cat", "dog"]
    assert dataset.ids == ["cat__1", "3", "dog__1", "2"]
    samples = [dataset[i] for i in range(len(dataset))]
    assert [sample.target for sample in samples] == [0, 0, 1, 1]
    assert samples[3].path == str(animals / "dog/2.png")
    assert samples[0].boxes is None
    with pytest.raises(IndexError):
        dataset[4]


@pytest.mark.parametrize("formats", [("PNG", "bmp"), (".png", ".BMP"), ["bmp", "png"]])
def test_valid_formats(animals: Path, formats: Any) -> None:
    assert len(folder(animals, valid_formats=formats)) == 5


def test_one_format_as_a_string(animals: Path) -> None:
    assert len(folder(animals, valid_formats="png")) == 4
    with pytest.raises(ConfigError, match="empty"):
        folder(animals, valid_formats=())


def test_flat_folder_has_no_targets(tmp_path: Path) -> None:
    write(tmp_path / "flat/b.png")
    write(tmp_path / "flat/a.png")
    dataset = folder(tmp_path / "flat")
    assert dataset.ids == ["a", "b"]
    assert dataset.class_names is None
    assert dataset[0].target is None


def test_grey_inputs(animals: Path) -> None:
    sample = folder(animals, channels=1)[0]
    assert sample.input.shape == (1, 6, 8)
    assert sample.image.shape == (3, 6, 8)
    with pytest.raises(ConfigError, match="channels"):
        folder(animals, channels=2)


def test_missing_root_empty_root_empty_class(animals: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none'.*found nothing.*img_root"):
        folder(tmp_path / "none")
    with pytest.raises(DataError, match="found a file"):
        folder(animals / "dog/1.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"Data folder '.*empty'.*found no files.*layout"):
        folder(tmp_path / "empty")
    (animals / "emu").mkdir()
    with pytest.raises(DataError, match=r"Class folder '.*emu' has no images"):
        folder(animals)
    (animals / "emu").rmdir()
    with pytest.raises(DataError, match=r"4 with ending \.png.*valid_formats|1 with ending"):
        folder(animals, valid_formats=("jpg",))


def test_a_bad_image_is_named_and_the_others_can_be_read(animals: Path) -> None:
    (animals / "cat/1.png").write_bytes(b"broken")
    dataset = folder(animals)
    with pytest.raises(DataError, match=r"cat/1\.png"):
        dataset[0]
    assert dataset[1].id == "3"


def test_a_pipeline_that_does_not_fit_names_the_image(
    animals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [{"type": "Normalize", "mean": [0.5, 0.5], "std": 1}]
    with pytest.raises(ConfigError, match="`mean` has 2 values"):
        folder(animals, pipeline=steps)[0]
    dataset = folder(animals)

    def fail(*_: Any) -> None:
        raise ValueError("larger than the image")

    monkeypatch.setattr(dataset, "pipeline", fail)
    with pytest.raises(DataError, match=r"cat/1\.png' \(8×6 pixels\): larger"):
        dataset[0]


def test_fingerprint(animals: Path, tmp_path: Path) -> None:
    first = folder(animals).fingerprint()
    assert len(first) == 64
    assert folder(animals).fingerprint() == first
    moved = tmp_path / "moved"
    shutil.copytree(animals, moved)
    assert folder(moved).fingerprint() == first, "the place of a data set does not matter"
    others = [
        folder(animals, channels=1),
        folder(animals, pipeline=[{"type": "Resize", "height": 4, "width": 4}]),
        folder(animals, valid_formats=("bmp", "png")),
    ]
    write(moved / "dog/1.png", gradient(20, 20))
    others.append(folder(moved))
    prints = {dataset.fingerprint() for dataset in others}
    assert len(prints) == 4
    assert first not in prints


@pytest.fixture
def imagenet(tmp_path: Path) -> dict[str, Any]:
    """Return the config of a tiny ImageNet with two classes and boxes."""
    for wnid in ("n001", "n002"):
        for i in range(2):
            write(tmp_path / f"images/{wnid}/{wnid}_{i}.JPEG", gradient(20, 10))
            write_boxes(tmp_path / f"boxes/{wnid}/{wnid}_{i}.xml", (2, 1, 10, 5), (0, 0, 20, 10))
    index = {"0": ["n002", "tench"], "1": ["n001", "goldfish"]}
    (tmp_path / "index.json").write_text(json.dumps(index))
    return {
        "type": "ImageNet",
        "img_root": str(tmp_path / "images"),
        "annot_root": str(tmp_path / "boxes"),
        "ind_to_cls_file": str(tmp_path / "index.json"),
        "pipeline": [{"type": "Resize", "height": 20, "width": 20}],
        "with_bbox": True,
    }


def test_imagenet(imagenet: dict[str, Any]) -> None:
    dataset = build_dataset(imagenet)
    assert dataset.ids == ["n001_0", "n001_1", "n002_0", "n002_1"]
    assert dataset.class_names == ["tench", "goldfish"]
    assert [dataset[i].target for i in range(4)] == [1, 1, 0, 0]
    boxes = dataset[0].boxes
    assert boxes is not None
    assert torch.equal(boxes, torch.tensor([[2.0, 2, 10, 10], [0, 0, 20, 20]]))
    without = build_dataset({**imagenet, "with_bbox": False})
    assert without[0].boxes is None
    assert without.fingerprint() != dataset.fingerprint()


def test_imagenet_without_boxes_needs_no_annotations(imagenet: dict[str, Any]) -> None:
    cfg = {**imagenet, "with_bbox": False, "annot_root": "nowhere"}
    assert len(build_dataset(cfg)) == 4
    del cfg["annot_root"]
    assert len(build_dataset(cfg)) == 4


def test_a_class_without_index_fails_alone(imagenet: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"0": ["n002", "tench"]}))
    dataset = build_dataset(imagenet)
    with pytest.raises(DataError, match=r"n001_0\.JPEG.*'n001' has no class index"):
        dataset[0]
    assert dataset[2].target == 0


def test_missing_boxes_fail_alone(imagenet: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "boxes/n001/n001_0.xml").unlink()
    dataset = build_dataset(imagenet)
    with pytest.raises(DataError, match=r"n001_0\.xml' do not exist"):
        dataset[0]
    assert dataset[1].boxes is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"img_root": "nowhere"}, "nowhere.*found nothing"),
        ({"annot_root": "nowhere"}, "nowhere.*with_bbox=False"),
        ({"annot_root": None}, "needs `annot_root`"),
        ({"ind_to_cls_file": "nowhere.json"}, "resources/imagenet_class_index"),
        ({"img_rot": "x"}, "Closest: 'img_root'"),
        ({"type": "Imagenet"}, "Closest: 'ImageNet'"),
    ],
)
def test_what_errors_say(imagenet: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputIBAError, match=message):
        build_dataset({**imagenet, **change})


def test_layout_and_index_of_another_form(imagenet: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no class folders.*<wnid>"):
        build_dataset({**imagenet, "img_root": str(tmp_path / "images/n001")})
    for content in ("[1, 2]", "{", '{"0": "tench"}'):
        (tmp_path / "index.json").write_text(content)
        with pytest.raises(DataError, match="Expected JSON of the form"):
            build_dataset(imagenet)


@pytest.mark.data
def test_real_imagenet_folder(data_root: Path) -> None:
    dataset = build_dataset(
        {
            "type": "ImageNet",
            "img_root": str(data_root / "imagenet/images/attribution"),
            "ind_to_cls_file": str(data_root / "imagenet/imagenet_class_index.json"),
            "pipeline": [{"type": "Resize", "height": 32, "width": 32}],
        }
    )
    assert len(dataset) == 120
    assert all(dataset[i].target is not None for i in range(0, 120, 10))
    sealyham = next(i for i, name in enumerate(dataset.ids) if "Sealyham" in name)
    target = dataset[sealyham].target
    assert target is not None
    assert dataset.class_names is not None
    assert dataset.class_names[target] == "Sealyham_terrier"


@pytest.mark.data
def test_real_boxes(data_root: Path) -> None:
    dataset = build_dataset(
        {
            "type": "ImageNet",
            "img_root": str(data_root / "images/attribution"),
            "annot_root": str(data_root / "annotations/attribution"),
            "ind_to_cls_file": "resources/imagenet_class_index.json",
            "pipeline": [{"type": "Resize", "height": 128, "width": 128}],
            "with_bbox": True,
        }
    )
    assert len(dataset) == 3000
    for i in range(0, 3000, 150):
        boxes = dataset[i].boxes
        assert boxes is not None
        assert (boxes[:, 2:] - boxes[:, :2] >= 2).all()
        assert boxes.max() <= 128
