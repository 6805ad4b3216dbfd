"""Mosaics: what lies in which cell, and that the seed decides it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from input_iba.datasets import GridMosaic, build_dataset
from input_iba.errors import ConfigError, DataError
from tests.datasets.pictures import gradient, write

CELL = {"type": "Resize", "height": 6, "width": 8}
CLASSES = 5


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder of five classes, each image in a colour of its own: 10·class + number."""
    for label in range(CLASSES):
        for number in range(1 + label % 3):
            colour = (10 * label + number + 1, 0, 200)
            write(tmp_path / f"data/c{label}/{number}.png", Image.new("RGB", (16, 12), colour))
    return tmp_path / "data"


def source(root: Path, **keys: Any) -> dict[str, Any]:
    return {"type": "ImageFolder", "img_root": str(root), "pipeline": [CELL], **keys}


def mosaic(root: Path, **keys: Any) -> GridMosaic:
    cfg = {"type": "GridMosaic", "dataset": source(root), "pipeline": [], **keys}
    made = build_dataset(cfg)
    assert isinstance(made, GridMosaic)
    return made


def colours(image: torch.Tensor, grid: int) -> list[int]:
    """Return the red values of the cells, row by row; each cell has one."""
    height, width = image.shape[1] // grid, image.shape[2] // grid
    found = []
    for row in range(grid):
        for column in range(grid):
            cell = image[0, row * height :, column * width :][:height, :width]
            assert cell.min() == cell.max()
            found.append(int(cell[0, 0]))
    return found


def test_four_classes_and_the_targets_cell(root: Path) -> None:
    dataset = mosaic(root, n=30)
    assert len(dataset) == 30
    assert dataset.class_names == [f"c{label}" for label in range(CLASSES)]
    cells = set()
    for i in range(30):
        sample = dataset[i]
        assert sample.input.shape == sample.image.shape == (3, 12, 16)
        found = [(value - 1) // 10 for value in colours(sample.image, 2)]
        assert len(set(found)) == 4
        assert sample.boxes is not None
        x1, y1, x2, y2 = (int(value) for value in sample.boxes[0])
        assert (x2 - x1, y2 - y1) == (8, 6)
        inside = sample.image[0, y1:y2, x1:x2]
        assert {(int(value) - 1) // 10 for value in inside.flatten()} == {sample.target}
        cells.add((x1, y1))
    assert cells == {(0, 0), (8, 0), (0, 6), (8, 6)}


def test_every_image_is_a_target_in_turn(root: Path) -> None:
    dataset = mosaic(root)
    count = len(build_dataset(source(root)))
    assert len(dataset) == count == 9
    names = {id_.partition("_")[2] for id_ in dataset.ids}
    assert names == set(dataset.source.ids)
    again = mosaic(root, n=20)
    assert again.ids[:9] == dataset.ids
    assert [id_[6:] for id_ in again.ids[9:18]] == [id_[6:] for id_ in dataset.ids]
    assert len(set(again.ids)) == 20


def test_the_seed_decides(root: Path) -> None:
    first, second = mosaic(root), mosaic(root)
    assert first.fingerprint() == second.fingerprint()
    assert (first.cells, first.places) == (second.cells, second.places)
    assert all(torch.equal(first[i].input, second[i].input) for i in range(len(first)))
    longer = mosaic(root, n=40)
    assert (longer.cells[:9], longer.places[:9]) == (first.cells, first.places)
    other = mosaic(root, seed=1)
    assert (other.cells, other.places) != (first.cells, first.places)
    assert other.fingerprint() != first.fingerprint()
    write(root / "c0/extra.png")
    assert mosaic(root, n=9).fingerprint() != first.fingerprint()


def test_a_ready_made_data_set_and_grey_inputs(root: Path) -> None:
    ready = build_dataset(source(root, channels=1))
    normalize = {"type": "Normalize", "mean": [0.1], "std": [0.3]}
    dataset = GridMosaic(ready, [normalize], channels=1)
    sample = dataset[0]
    assert sample.input.shape == (1, 12, 16)
    torch.testing.assert_close(sample.input[0], (sample.image[0] / 255 - 0.1) / 0.3)
    assert dataset.cells == mosaic(root).cells


def test_boxes_follow_the_pipeline(root: Path) -> None:
    dataset = mosaic(root, pipeline=[{"type": "Resize", "height": 24, "width": 48}])
    plain = mosaic(root)
    for i in range(4):
        large, small = dataset[i].boxes, plain[i].boxes
        assert large is not None
        assert small is not None
        assert large.tolist() == (small * torch.tensor([3, 2, 3, 2])).tolist()


def test_larger_grids(root: Path) -> None:
    for label in range(CLASSES, 9):
        colour = Image.new("RGB", (16, 12), (10 * label + 1, 0, 200))
        write(root / f"c{label}/0.png", colour)
    sample = mosaic(root, grid=3)[0]
    assert sample.input.shape == (3, 18, 24)
    assert len({(value - 1) // 10 for value in colours(sample.image, 3)}) == 9


def test_what_lies_around_is_said(root: Path) -> None:
    dataset = mosaic(root)
    place = divmod(dataset.places[0], 2)
    assert f"in row {place[0]}, column {place[1]}" in dataset.path(0)
    assert str(root) in dataset.path(0)
    with pytest.raises(IndexError):
        dataset[len(dataset)]


def test_what_cannot_be_a_mosaic(root: Path, tmp_path: Path) -> None:
    for keys in ({"n": 0}, {"grid": 1}):
        with pytest.raises(ConfigError, match="n ≥ 1"):
            mosaic(root, **keys)
    with pytest.raises(DataError, match=r"at least 9 classes.*has 5 among 9"):
        mosaic(root, grid=3)
    write(tmp_path / "flat/a.png")
    with pytest.raises(DataError, match="has 0 among 1"):
        mosaic(tmp_path / "flat")
    with pytest.raises(ConfigError, match="Closest: 'dataset'"):
        mosaic(root, data_set=1)
    write(root / "c1/0.png", gradient(20, 20))
    unequal = mosaic(root, dataset=source(root, pipeline=[]), n=20)
    with pytest.raises(DataError, match=r"one size.*20×20.*Resize"):
        [unequal[i] for i in range(20)]
