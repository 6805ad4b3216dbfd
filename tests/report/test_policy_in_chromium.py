"""The pages' policy in a browser: even what got into a page as a tag neither runs nor loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from input_iba.drawing import Grid, Shown, highlighted_page
from input_iba.report.comparison_page import Card, ComparisonPage, comparison_page, thumbnail
from tests.report.conftest import IN_CHROMIUM, Opened
from tests.report.work_dirs import EVIL

pytest.importorskip("playwright")
pytestmark = IN_CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser

INJECTED = (
    '<script>document.title = "hacked"</script>'
    '<img src="x" onerror="document.title = \'hacked\'">'
    '<iframe src="other.html"></iframe><link rel="stylesheet" href="other.css">'
    '<object data="other.html"></object><img src="http://127.0.0.1:9/pixel.png">'
)


def compared(text: str) -> str:
    picture = thumbnail(np.zeros((8, 8, 3), dtype=np.uint8))
    cards = [
        Card(text, text, [(text, picture)]),
        Card(text, text, texts=[(text, words(text), [1])]),
    ]
    grids = [Grid(text, [text, text], [[text, text]])]
    return comparison_page(
        ComparisonPage(text, {text: text}, text, False, grids, [text], cards, text)
    )


def words(text: str) -> Shown:
    return Shown([text], [text, text])


def coloured(text: str) -> str:
    return highlighted_page(text, {text: text}, words(text), {text: np.array([1.0])})


@pytest.mark.parametrize("page", [compared, coloured], ids=["comparison", "highlights"])
def test_hostile_names_are_text(browser: Browser, tmp_path: Path, page: object) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(EVIL), encoding="utf-8")  # type: ignore[operator]
    opened = Opened(browser.new_page(), path)
    assert opened.complaints == []
    assert opened.page.title() != "hacked"
    assert EVIL in opened.page.inner_text("body")
    assert opened.page.locator("script, iframe, object").count() == 0
    opened.page.close()


@pytest.mark.parametrize("page", [compared, coloured], ids=["comparison", "highlights"])
def test_the_policy_stops_what_got_in_all_the_same(
    browser: Browser, tmp_path: Path, page: object
) -> None:
    path = tmp_path / "page.html"
    text = str(page("name"))  # type: ignore[operator]  # of Markup, `replace` would escape
    path.write_text(text.replace("<body>", f"<body>{INJECTED}"), encoding="utf-8")
    opened = Opened(browser.new_page(), path)
    assert opened.page.title() != "hacked"
    refused = [said for said in opened.complaints if "Content Security Policy" in said]
    assert len(refused) >= 5, opened.complaints
    opened.page.close()
