"""The HTML page: escaped, linked, complete."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from input_iba.visualization.overview import MOST_ROWS
from PIL import Image

from input_iba.errors import DataError
from input_iba.visualization import Row, RunSummary, overview_page, write_contact_sheet

FILES = {
    "photograph": "images/a%2F1#.jpg",
    "overlay": "overlays/a%2F1#.jpg",
    "feature_mask_picture": "feat_masks/a%2F1#.JPEG",
    "input_mask_picture": "input_masks/a%2F1#.JPEG",
}
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Collects tags, and fails where they do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def summary(samples: int = 1, complete: bool = True) -> RunSummary:
    return RunSummary("samples", {"Layer": "layer1"}, samples, complete)


def test_every_picture_is_linked_and_described() -> None:
    page = Page(overview_page(summary(), [Row("a/1#", "tabby", 0.9, files=FILES)]))
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert [unquote(str(image["src"])) for image in images] == [f"./{f}" for f in FILES.values()]
    assert all("a/1#" in str(image["alt"]) for image in images)
    assert "#" not in "".join(str(image["src"]) for image in images)


def test_text_from_outside_is_escaped() -> None:
    evil = '<script>alert("1")</script>'
    rows = [
        Row(evil, evil, 0.5, evil, 0.6, {evil: 1.0}, files=FILES),
        Row("b", failure=evil),
    ]
    page = Page(overview_page(RunSummary(evil, {evil: evil}, 2, False), rows))
    assert "script" not in {tag for tag, _ in page.tags}
    assert evil in page.words


def test_a_complete_run_says_so() -> None:
    text = overview_page(summary(), [Row("a", files=FILES)])
    assert "1 of 1 samples explained" in text
    assert "Partial" not in text


def test_a_partial_run_says_what_is_missing() -> None:
    rows = [Row("a", files=FILES), Row("b", failure="truncated image")]
    words = Page(overview_page(summary(4, complete=False), rows)).words
    assert "Partial. 1 of 4 samples explained; 1 failed; 2 not done yet" in words
    assert "truncated image" in words


def test_the_preferred_class_is_named_where_another_was_explained() -> None:
    row = Row("a", "tabby", 0.1, "tiger cat", 0.8, files=FILES)
    assert "classifier prefers tiger cat, 80 %" in Page(overview_page(summary(), [row])).words


def test_a_large_run_stays_a_page_that_opens() -> None:
    rows = [Row(str(i), files=FILES) for i in range(MOST_ROWS + 5)]
    text = overview_page(summary(len(rows)), rows)
    assert text.count("<article>") == MOST_ROWS
    assert f"The first {MOST_ROWS} of {MOST_ROWS + 5} samples" in text


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
        write_contact_sheet(tmp_path / "sheet.png", [Row("a", files=FILES)], tmp_path)
