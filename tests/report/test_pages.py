"""Reports of many samples: pages of cards, sheets of thumbnails, and a page that lists all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from input_iba.report import pages, report_folders
from input_iba.results import Manifest, WorkDir
from input_iba.results.packing import Packer
from tests.report.conftest import IN_CHROMIUM, Opened
from tests.report.test_page import Page
from tests.report.work_dirs import EVIL, make_result, make_run

IDS = [f"s{i}" for i in range(8)] + [EVIL, "b 50%#"]
SCORES = {id_: float(-i) for i, id_ in enumerate(IDS) if i != 3}


@pytest.fixture(scope="module", autouse=True)
def few() -> Iterator[None]:
    """Let pages have few samples."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("MAX_SAMPLES", 3), ("PER_PART", 4), ("ACROSS", 3)):
            patch.setattr(f"input_iba.report.pages.{name}", value)
        yield


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page about two runs, the second of which lacks samples."""
    root = tmp_path_factory.mktemp("runs")
    own = make_run(root / "own", IDS, failed={"gone": EVIL}).root
    other = make_run(root / "other", IDS[:1:-1], method="grad_cam").root
    make_result(own / "insdel.json", own / "input_masks", SCORES)
    return report_folders([own, other], root / "many.html")


@pytest.fixture(scope="module")
def reports(page: Path) -> dict[str, Path]:
    return {"one": page}


def links(page: Path) -> list[str]:
    found = re.findall(r'(?:src|href)="(\./[^"#]+)', page.read_text(encoding="utf-8"))
    return [unquote(unescape(link)) for link in found]


def listed(page: Path) -> dict[str, Any]:
    [data] = re.findall(r'id="listed">(.*)</script>', page.read_text())
    return cast(dict[str, Any], json.loads(data))


def test_every_sample_has_its_card_on_one_page(page: Path) -> None:
    parts = sorted(page.with_name("many_pages").glob("*.html"))
    assert [path.name for path in parts] == ["0000.html", "0001.html", "0002.html"]
    cards = [Page(path.read_text()).all("article") for path in parts]
    assert [len(found) for found in cards] == [4, 4, 2]
    assert [card["data-id"] for found in cards for card in found] == IDS
    assert cards[2][0]["data-keys"] == "0.85 3 -7.5 0.5 -8 0.1875 8"
    for path in (page, *parts):
        assert links(path)
        assert all((path.parent / link).exists() for link in links(path))
        assert "<script>document" not in path.read_text()
    assert 'href="./0002.html"' in parts[1].read_text()
    assert parts[2].read_text().count("<h4>own</h4>") == 2


def test_the_page_lists_all_samples_with_their_numbers(page: Path) -> None:
    found = listed(page)
    assert found["ids"] == IDS
    assert [found["names"][i] for i in found["classes"][:4]] == [
        *("tabby", "tiger <b>cat</b>", "beagle", "tabby")
    ]
    assert found["numbers"][4] == [SCORES.get(id_) for id_ in IDS]
    assert found["numbers"][5][:2] == [None, None]
    text = page.read_text()
    assert "10 of 11" in text
    assert "1 sample failed" in text
    assert not Page(text).all("article")


def test_thumbnails_stand_in_the_order_of_the_cards(page: Path) -> None:
    sheet = np.asarray(Image.open(page.with_name("many_pages") / "0002.jpg")).astype(int)
    assert sheet.shape == (pages.SIDE, 3 * pages.SIDE, 3)
    root, record = page.parent / "own", None
    for record in WorkDir(root, resume=True).records.scan([IDS[9]]):
        small = Image.open(root / record.files["overlay"]).resize((pages.SIDE, pages.SIDE))
        overlay = np.asarray(small.convert("RGB")).astype(int)
    assert record is not None
    seen = sheet[:, pages.SIDE : 2 * pages.SIDE]
    assert np.abs(seen - overlay).mean() < 8 < np.abs(seen - overlay[::-1]).mean()


def test_pages_that_are_no_longer_needed_go(tmp_path: Path) -> None:
    root = make_run(tmp_path / "run", IDS).root
    before = report_folders([root]).read_text()
    (root / "report_pages" / "0017.html").touch()
    report_folders([root])
    assert len(list((root / "report_pages").iterdir())) == 6
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "MAX_SAMPLES", 100)
        after = report_folders([root]).read_text()
    assert list((root / "report_pages").iterdir()) == []
    assert (before.count("<article"), after.count("<article")) == (0, 10)


def test_of_very_many_the_first_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_LISTED", 5)
    page = report_folders([make_run(tmp_path / "run", IDS).root])
    assert listed(page)["ids"] == IDS[:5]
    assert "The first 5 of 10 samples; all are in" in page.read_text()


def test_what_is_in_shards_is_in_the_pages_and_sheets(tmp_path: Path) -> None:
    work = make_run(tmp_path / "run", IDS)
    report_folders([work.root])
    folder = work.root / "report_pages"
    before = (folder / "0001.jpg").read_bytes()
    packer = Packer(work.root, Manifest.read(work.manifest_path), None, 5)
    packer.add(work.records.scan())
    report_folders([work.root])
    assert (folder / "0001.jpg").read_bytes() == before
    text = (folder / "0001.html").read_text()
    assert text.count('src="data:image/') == text.count("<img") > 20


def test_texts_have_no_sheets(tmp_path: Path) -> None:
    words = {f"review {i}": ["A", EVIL, "film"] for i in range(5)}
    page = report_folders([make_run(tmp_path / "run", list(words), texts=words).root])
    assert listed(page)["sheets"] == [0, 0]
    assert [path.name for path in sorted((page.parent / "report_pages").iterdir())] == [
        *("0000.html", "0001.html")
    ]


class TestInChromium:
    """The page as a reader meets it."""

    pytestmark = IN_CHROMIUM

    def test_samples_are_searched_by_name_class_and_probability(self, opened: Opened) -> None:
        assert opened.shown() == IDS
        opened.page.fill("#search", "50%#")
        assert opened.shown() == IDS[8:]
        assert opened.page.inner_text("#count") == "2 of 10 samples"
        opened.page.fill("#search", "TIGER <B>")
        assert opened.shown() == ["s1", "s4", "s7"]
        opened.page.fill("#low", "20")
        opened.page.fill("#high", "50")
        assert opened.shown() == ["s4"]
        opened.page.fill("#search", "")
        opened.page.select_option("#class", label="beagle (3)")
        assert opened.shown() == ["s2"]

    def test_samples_are_sorted_and_those_without_a_number_come_last(self, opened: Opened) -> None:
        opened.page.select_option("#sort", label="insertion_deletion difference, high to low")
        best = [id_ for id_ in IDS if id_ != "s3"]
        assert opened.shown() == [*best, "s3"]
        opened.page.click("#reverse")
        assert opened.shown() == [*best[::-1], "s3"]
        assert "difference, own: -9.00" in opened.texts("article .sorted")[0]
        opened.page.select_option("#sort", label="name")
        assert opened.shown()[:3] == ["s7", "s6", "s5"]

    def test_a_card_leads_to_the_page_that_shows_more(self, opened: Opened) -> None:
        opened.page.click("article:nth-of-type(6) a")
        opened.page.wait_for_load_state("load")
        assert opened.page.url.endswith("many_pages/0001.html#s1")
        assert opened.shown() == IDS[4:8]
        assert opened.texts("h4")[1] == "own"
        for image in opened.page.locator("img").all():
            image.evaluate("image => image.decode()")
        opened.page.click("text=All samples >> nth=0")
        assert opened.page.url.endswith("many.html")

    def test_thumbnails_are_loaded(self, opened: Opened) -> None:
        opened.page.wait_for_load_state("networkidle")
        sheets = [url for url in opened.requests if url.endswith(".jpg")]
        assert len(sheets) == 3
        assert opened.page.locator(".thumbnail").count() == 10
