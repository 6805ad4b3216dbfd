"""The picture of several samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from input_iba.errors import DataError
from input_iba.visualization import Row, write_contact_sheet


def test_a_contact_sheet_has_one_line_per_finished_sample(tmp_path: Path) -> None:
    kinds = ("photograph", "overlay", "feature_mask_picture", "input_mask_picture")
    for kind in kinds:
        Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(tmp_path / f"{kind}.png")
    files = {kind: f"{kind}.png" for kind in kinds}
    rows = [Row("a", "tabby", 0.9, files=files), Row("b", failure="x"), Row("c", files=files)]
    write_contact_sheet(tmp_path / "sheet.png", rows, tmp_path, inches=1.0, dots_per_inch=50)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (200, 130)


def test_a_contact_sheet_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No sample is done"):
        write_contact_sheet(tmp_path / "sheet.png", [Row("b", failure="x")], tmp_path)


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        write_contact_sheet(
            tmp_path / "sheet.png", [Row("a", files={"photograph": "images/a.jpg"})], tmp_path
        )
