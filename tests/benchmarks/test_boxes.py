"""A table of hand-drawn boxes becomes files that the ImageNet data set reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import boxes
from input_iba.datasets.image_files import ImageNet
from input_iba.errors import DataError

TABLES = sorted(boxes.TABLE.parent.glob("*_boxes.tsv"))


def prepare(folder: Path, *lines: str) -> list[str]:
    """Make two images of 20×10 pixels and a table; return the command's options."""
    for name in ("n001/a.JPEG", "n002/b.c.png"):
        file = folder / "images" / name
        file.parent.mkdir(parents=True)
        Image.new("RGB", (20, 10)).save(file)
    (folder / "table.tsv").write_text("".join(f"{line}\n" for line in lines))
    folders = ["--images", str(folder / "images"), "--out", str(folder / "xml" / "boxes")]
    return [*folders, "--table", str(folder / "table.tsv")]


def test_boxes_are_read_by_the_data_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ("n001/a\t1\t2\t5\t9", "n002/b.c\t0\t0\t20\t10", "n001/a\t6\t0\t7\t1")
    boxes.main(prepare(tmp_path, *lines))
    assert capsys.readouterr().out.startswith("3 boxes of 2 images")
    classes = tmp_path / "classes.json"
    classes.write_text(json.dumps({"0": ["n001", "one"], "1": ["n002", "two"]}))
    out = tmp_path / "xml" / "boxes"
    dataset = ImageNet(tmp_path / "images", classes, [], annot_root=out, with_bbox=True)
    found = [dataset.read(index)[1] for index in range(2)]
    assert [one.tolist() for one in found if one is not None] == [
        [[1, 2, 5, 9], [6, 0, 7, 1]],
        [[0, 0, 20, 10]],
    ]


@pytest.mark.parametrize(
    "corners", ["-1 0 5 5", "0 -1 5 5", "0 0 21 5", "0 0 5 11", "5 0 5 5", "0 6 5 5"]
)
def test_boxes_outside_or_empty_are_refused_and_nothing_is_written(
    tmp_path: Path, corners: str
) -> None:
    options = prepare(tmp_path, "n002/b.c\t0\t0\t2\t2", "\t".join(["n001/a", *corners.split()]))
    with pytest.raises(DataError, match=r"of 'n001/a': expected 0 ≤ x1 < x2 ≤ 20"):
        boxes.main(options)
    assert not (tmp_path / "xml").exists()


@pytest.mark.parametrize("line", ["n001/a\t1\t2\t3", "n001/a\t1\t2\t3\t4\t5", "n001/a 1 2 3 4", ""])
def test_lines_that_are_no_box_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match="line 2: expected <wnid>/<stem> and four whole"):
        boxes.main(prepare(tmp_path, "n001/a\t1\t2\t3\t4", line))


def test_absent_images_and_tables_are_named(tmp_path: Path) -> None:
    options = prepare(tmp_path, "n001/b\t1\t2\t3\t4")
    with pytest.raises(DataError, match=r"n001/b' of the table of boxes does not exist"):
        boxes.main(options)
    with pytest.raises(DataError, match=r"none\.tsv' cannot be read"):
        boxes.main([*options, "--table", str(tmp_path / "none.tsv")])


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_drawn_tables_name_each_box_once(table: Path) -> None:
    found = boxes.read_table(table)
    assert all(len(set(drawn)) == len(drawn) for drawn in found.values())
    assert all(name.split("/")[1].startswith(name.split("/")[0]) for name in found)
    assert all(box.inside(10_000, 10_000) for drawn in found.values() for box in drawn)


def test_drawn_tables_share_no_image() -> None:
    images = [name for table in TABLES for name in boxes.read_table(table)]
    assert boxes.TABLE in TABLES
    assert len(set(images)) == len(images)
