"""The page as a visitor meets it, in a browser, on a wide screen and a narrow one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.app.conftest import Served, picture

pytest.importorskip("playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def explain(page: Page) -> str:
    """Press the button, and return what is said in the end."""
    page.click("#explain")
    page.wait_for_selector("#explain:not([disabled])", timeout=60_000)
    return page.inner_text("#status")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 400)])
def test_an_image_is_dropped_explained_and_asked_about_again(
    browser: Browser, served: Served, tmp_path: Path, scheme: str, width: int
) -> None:
    how = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    page = browser.new_page(**how)  # type: ignore[arg-type]
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.address)
    assert explain(page) == "There is no image: choose or drop one."
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(picture("JPEG")[:-800])
    page.set_input_files("#file", broken)
    assert "damaged" in explain(page)
    assert page.locator("#status.bad").count() == 1
    said.clear()  # the browser notes that two questions were refused

    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": picture()})
    page.select_option("#method", "instant")
    page.select_option("#beside", "gradient")
    assert explain(page) == "Done."
    assert "Believe this map?" in page.inner_text("#answer .believed")
    assert page.locator("#answer .stack").count() == 2
    page.locator("#threshold").fill("100")
    assert set(page.get_attribute("#cut", "tableValues").split()[:-1]) == {"0"}  # type: ignore[union-attr]
    page.locator("#opacity").fill("0")
    assert page.eval_on_selector(".heat", "heat => getComputedStyle(heat).opacity") == "0"
    page.locator("[data-class]").last.click()
    page.wait_for_selector("li:last-child [aria-current]")
    with page.expect_download() as download:
        page.click("[data-file='map.npz']")
    assert download.value.suggested_filename == "map.npz"
    assert said == []
    own = (served.address, "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_a_text_is_typed_where_the_network_reads_texts(browser: Browser, served: Served) -> None:
    page = browser.new_page()
    page.goto(served.address)
    assert page.is_hidden("#text")
    page.select_option("#model", served.texts)
    assert page.is_hidden("#drop")
    page.fill("#text", "a fine <b>film")
    page.select_option("#method", "instant")
    assert explain(page) == "Done."
    assert "fine <b>film" in page.inner_text("#answer .text")
    assert page.is_hidden("#sliders")
    page.close()
