"""The script that chooses a small ImageNet."""

from __future__ import annotations

from pathlib import Path

import pytest

from input_iba.cli.main import script
from input_iba.datasets import build_dataset
from tests.datasets.pictures import gradient, write, write_boxes

CLASSES = ("n01440764", "n01443537")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for wnid in CLASSES:
        for i in range(8):
            write(tmp_path / f"val/{wnid}/{wnid}_{i}.JPEG", gradient(20, 10 + i))
            write_boxes(tmp_path / f"annotations/{wnid}/{wnid}_{i}.xml", (1, 1, 5, 5))
    return tmp_path / "val"


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_sets_are_disjoint_complete_and_readable(source: Path, tmp_path: Path) -> None:
    made = tmp_path / "small"
    assert (
        script("small-imagenet", [str(source), str(made), "--n", "5", "--n-attribution", "2"]) == 0
    )
    estimation = names(made / "images/estimation")
    attribution = names(made / "images/attribution")
    assert len(estimation) == 10
    assert len(attribution) == 4
    assert not set(estimation) & set(attribution)
    boxes = names(made / "annotations/attribution")
    assert boxes == [name.replace(".JPEG", ".xml") for name in attribution]
    dataset = build_dataset(
        {
            "type": "ImageNet",
            "img_root": str(made / "images/attribution"),
            "annot_root": str(made / "annotations/attribution"),
            "ind_to_cls_file": str(made / "imagenet_class_index.json"),
            "pipeline": [],
            "with_bbox": True,
        }
    )
    assert [dataset[i].target for i in range(4)] == [0, 0, 1, 1]
    original = source / attribution[0]
    assert (made / "images/attribution" / attribution[0]).read_bytes() == original.read_bytes()


def test_the_seed_decides(source: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert (
            script(
                "small-imagenet", [str(source), str(tmp_path / name), "--n", "3", "--seed", seed]
            )
            == 0
        )
    assert names(tmp_path / "a") == names(tmp_path / "b")
    assert names(tmp_path / "a") != names(tmp_path / "c")


def test_without_annotations(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "annotations").rename(tmp_path / "elsewhere")
    assert script("small-imagenet", [str(source), str(tmp_path / "a"), "--n", "3"]) == 0
    assert "with_bbox=False" in capsys.readouterr().out
    assert not (tmp_path / "a/annotations").exists()
    boxes = ["--annotations", str(tmp_path / "elsewhere")]
    assert script("small-imagenet", [str(source), str(tmp_path / "b"), "--n", "3", *boxes]) == 0
    assert len(names(tmp_path / "b/annotations/attribution")) == 2


def test_refusals_leave_nothing_behind(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*arguments: str) -> str:
        assert script("small-imagenet", list(arguments)) == 2
        return capsys.readouterr().err

    used = tmp_path / "used"
    write(used / "mine.png")
    assert "is not empty" in refused(str(source), str(used))
    assert names(used) == ["mine.png"]
    new = str(tmp_path / "new")
    assert "8 images; 9 are needed" in refused(str(source), new, "--n", "8")
    assert "at least 1" in refused(str(source), new, "--n", "0")
    assert "found nothing" in refused(str(tmp_path / "none"), new)
    assert "no class folders" in refused(str(source / CLASSES[0]), new)
    assert "--index-file" in refused(str(source), new, "--index-file", "none.json")
    assert "does not exist" in refused(str(source), new, "--annotations", "none")
    assert not list(tmp_path.glob("*new*"))
    assert not list(tmp_path.glob(".*.part"))


def test_an_empty_destination_is_used(source: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert script("small-imagenet", [str(source), str(tmp_path / "empty"), "--n", "2"]) == 0
    assert (tmp_path / "empty/imagenet_class_index.json").is_file()
