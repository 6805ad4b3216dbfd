"""Write a table of hand-drawn object boxes as the XML files that the ImageNet data set reads.

    python -m benchmarks.boxes --images DIR --out DIR [--table FILE]

A line of the table is `<wnid>/<stem>`, x1, y1, x2, y2, parted by tabs: a box in pixels of the image
as it is stored, from the left edge of its first column to the right edge of its last, so that the
whole image is 0, 0, width, height. An image with several objects has several lines. Each image in
the table gets a file `<wnid>/<stem>.xml` below `--out`, in the layout of PASCAL VOC.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from PIL import Image

from input_iba.datasets.boxes import CORNERS
from input_iba.datasets.folders import class_folders, find_files
from input_iba.datasets.images import SUFFIXES
from input_iba.errors import DataError

TABLE = Path(__file__).parent / "samples" / "imagenet_boxes.tsv"


class Box(NamedTuple):
    """Edges of an object in pixels: left, top, right, bottom."""

    x1: int
    y1: int
    x2: int
    y2: int

    def inside(self, width: int, height: int) -> bool:
        """Whether it holds a pixel, and none outside an image of this size."""
        return 0 <= self.x1 < self.x2 <= width and 0 <= self.y1 < self.y2 <= height


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files and print how many."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.boxes", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of the class folders")
    parser.add_argument("--out", type=Path, required=True, help="folder for the XML files")
    parser.add_argument("--table", type=Path, default=TABLE, help="default: %(default)s")
    options = parser.parse_args(arguments)
    boxes = read_table(options.table)
    write_files(boxes, options.images, options.out)
    count = sum(map(len, boxes.values()))
    print(f"{count} boxes of {len(boxes)} images written to {options.out}")


def read_table(path: Path) -> dict[str, list[Box]]:
    """Return the boxes of each image, `<wnid>/<stem>`.

    Raises:
        DataError: The table is absent, or a line of it is no box.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(
            f"Table of boxes '{path}' cannot be read: {error}. Correct --table."
        ) from error
    boxes: dict[str, list[Box]] = {}
    for number, line in enumerate(lines, 1):
        name, *corners = line.split("\t")
        try:
            box = Box(*map(int, corners))
        except (TypeError, ValueError) as error:
            raise DataError(
                f"Table of boxes '{path}', line {number}: expected <wnid>/<stem> and four whole "
                f"numbers, parted by tabs, got {line!r}. Correct the line."
            ) from error
        boxes.setdefault(name, []).append(box)
    return boxes


def write_files(boxes: Mapping[str, Sequence[Box]], images: Path, out: Path) -> None:
    """Write an XML file per image, once all boxes are found to fit their images.

    Raises:
        DataError: An image is not there, or a box is empty, inverted or not inside its image.
    """
    entries = find_files(images, class_folders(images, "--images"), SUFFIXES)
    files = {f"{entry.group}/{entry.path.stem}": entry.path for entry in entries}
    roots = {}
    for name, found in boxes.items():
        if name not in files:
            raise DataError(
                f"Image '{images / name}' of the table of boxes does not exist, with any ending "
                f"of {', '.join(SUFFIXES)}. Correct --images, or choose the table of these images."
            )
        with Image.open(files[name]) as image:
            width, height = image.size
        for box in found:
            if not box.inside(width, height):
                raise DataError(
                    f"Box {tuple(box)} of '{name}': expected 0 ≤ x1 < x2 ≤ {width} and "
                    f"0 ≤ y1 < y2 ≤ {height}, the size of the image. Correct the table."
                )
        roots[name] = annotation(files[name], (width, height), found)
    for name, root in roots.items():
        file = out / f"{name}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        ElementTree.ElementTree(root).write(file, encoding="utf-8")


def annotation(file: Path, size: tuple[int, int], boxes: Sequence[Box]) -> ElementTree.Element:
    """Return an annotation in the layout of PASCAL VOC; `size` is width and height in pixels."""
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "folder").text = file.parent.name
    ElementTree.SubElement(root, "filename").text = file.name
    _numbers(root, "size", zip(("width", "height"), size, strict=True))
    for box in boxes:
        element = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(element, "name").text = file.parent.name
        _numbers(element, "bndbox", zip(CORNERS, box, strict=True))
    ElementTree.indent(root)
    return root


def _numbers(parent: ElementTree.Element, tag: str, values: Iterable[tuple[str, int]]) -> None:
    element = ElementTree.SubElement(parent, tag)
    for name, value in values:
        ElementTree.SubElement(element, name).text = str(value)


if __name__ == "__main__":
    main()
