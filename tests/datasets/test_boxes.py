"""VOC boxes: values, edges, and what each refusal says."""

from __future__ import annotations

from pathlib import Path

import pytest

from input_iba.datasets.boxes import read_voc_boxes
from input_iba.errors import DataError
from tests.datasets.pictures import write_boxes


def test_all_boxes_are_read(tmp_path: Path) -> None:
    path = write_boxes(tmp_path / "a.xml", (1, 2, 3, 4), (5, 5, 9, 6))
    assert read_voc_boxes(path, 10, 10).tolist() == [[1, 2, 3, 4], [5, 5, 9, 6]]


def test_boxes_are_cut_at_the_edges(tmp_path: Path) -> None:
    path = write_boxes(tmp_path / "a.xml", (-3, 2, 12, 40))
    assert read_voc_boxes(path, 10, 20).tolist() == [[0, 2, 10, 20]]


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0.5, 0.5, 3, 1), (0, 0, 0, 0)])
def test_a_small_box_in_pixels_is_one(tmp_path: Path, box: tuple[float, ...]) -> None:
    x1, y1, x2, y2 = box
    path = write_boxes(tmp_path / "a.xml", (x1, y1, x2, y2))
    assert read_voc_boxes(path, 10, 10)[0, :2].tolist() == [x1, y1]


def test_a_box_of_one_row_is_one_pixel_thick(tmp_path: Path) -> None:
    path = write_boxes(tmp_path / "a.xml", (2, 5, 8, 5))
    assert read_voc_boxes(path, 10, 10).tolist() == [[2, 5, 8, 6]]


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([(8, 1, 2, 5)], r"inverted box.*'xmin': 8\.0"),
        ([(1, 6, 2, 5)], "inverted box"),
        ([(1, "nan", 2, 5)], "inverted box"),
        ([(1, "", 2, 5)], "expected the numbers"),
        ([], "found none"),
        ([(50, 1, 60, 5)], "outside its image of 10×10"),
        ([(0.1, 0.2, 0.5, 0.9)], r"shares of it, 0 to 1. Multiply x by the image's width"),
        ([(2, 2, 5, 5), (0, 0, 1, 0.5)], r"got the box \[0.0, 0.0, 1.0, 0.5\]"),
    ],
)
def test_bad_boxes(
    tmp_path: Path, boxes: list[tuple[object, object, object, object]], message: str
) -> None:
    path = write_boxes(tmp_path / "a.xml", *boxes)
    with pytest.raises(DataError, match=message) as caught:
        read_voc_boxes(path, 10, 10)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "declared", ['<!ENTITY b "12">', '<!ENTITY b SYSTEM "file:///etc/passwd">', '<!ENTITY % b "1">']
)
def test_entities_are_refused(tmp_path: Path, declared: str) -> None:
    text = write_boxes(tmp_path / "a.xml", (2, 5, 8, 5)).read_text()
    (tmp_path / "a.xml").write_text(f"<!DOCTYPE annotation [{declared}]>{text}")
    with pytest.raises(DataError, match=r"declare entities.*Remove the <!DOCTYPE"):
        read_voc_boxes(tmp_path / "a.xml", 10, 10)


def test_missing_file_and_no_xml(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="with_bbox=False"):
        read_voc_boxes(tmp_path / "a.xml", 10, 10)
    (tmp_path / "a.xml").write_text("<annotation><object>")
    with pytest.raises(DataError, match="cannot be read as XML"):
        read_voc_boxes(tmp_path / "a.xml", 10, 10)
