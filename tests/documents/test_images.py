"""The pictures of concepts.md are small, and the script that draws them draws all of them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from PIL import Image

from tests.documents.printed import ROOT, read

FOLDER = ROOT / "tutorials" / "images"
MAX_BYTES = 150_000


def test_the_pictures_are_those_of_the_text_and_small() -> None:
    pictures = sorted(FOLDER.glob("*.png"))
    assert all(path.stat().st_size < MAX_BYTES for path in pictures)
    text = read("tutorials/concepts.md")
    assert [path.name for path in pictures if f"(images/{path.name})" not in text] == []
    drawn = runpy.run_path(str(FOLDER / "draw.py"))["PICTURES"]
    assert sorted(f"{name}.png" for name in drawn) == [path.name for path in pictures]


@pytest.mark.slow
def test_the_script_draws_them(tmp_path: Path) -> None:
    script = runpy.run_path(str(FOLDER / "draw.py"))
    script["main"](tmp_path, script["Scene"](side=64, crops=16))
    for path in FOLDER.glob("*.png"):
        with Image.open(tmp_path / path.name) as picture, Image.open(path) as committed:
            assert picture.size[0] == pytest.approx(committed.size[0], rel=0.1)
