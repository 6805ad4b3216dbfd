"""Pages about made-up runs, opened from disk in a browser without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from input_iba.report import report_folders
from tests.report.work_dirs import EVIL, make_result, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
IN_CHROMIUM = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
"""Marks of modules that use the fixtures below; they need Playwright, too."""

IDS = ["a/1", "b 50%#", "c", EVIL]
SCORES = {"a/1": 0.5, "b 50%#": -0.5, EVIL: 1.5}
"""No score of 'c'."""

WORDS = {
    "long": ["A", "<script>document.title='hacked'</script>", "&amp;", "film", "a b"],
    "short": ["fun"],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return pages about one run, two runs side by side, and reviews."""
    root = tmp_path_factory.mktemp("runs")
    own = make_run(root / "own", IDS, failed={"gone": EVIL}).root
    other = make_run(root / "grad_cam", IDS[1:], method="grad_cam").root
    make_result(own / "insdel.json", own / "input_masks", SCORES, skipped={"c": "no boxes"})
    texts = make_run(root / "reviews", list(WORDS), texts=WORDS).root
    return {
        "one": report_folders([own]),
        "two": report_folders([own, other], root / "two.html"),
        "reviews": report_folders([texts]),
    }


class Opened:
    """A page in the browser, with what it complained about and asked for."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_load_state("load")

    def shown(self) -> list[str]:
        """Return the ids of the samples that are visible, from top to bottom."""
        found: list[str] = self.page.eval_on_selector_all(
            "article:not([hidden])", "all => all.map(element => element.dataset.id)"
        )
        return found

    def slide(self, slider: str, value: int) -> None:
        self.page.fill(f"#{slider}", str(value))

    def texts(self, selector: str) -> list[str]:
        """Return what stands in elements, the first of which may have to be waited for.

        Not their `innerText`: that is empty in samples for which the browser has not drawn a frame
        since they came into view or were moved, and when it does so depends on the machine's load.
        """
        found = self.page.locator(selector)
        found.first.wait_for(state="attached")
        return found.all_text_contents()

    def pixels(self, selector: str, folder: Path) -> np.ndarray:
        """Return what is seen of an element once its pictures are there, (H, W, 3)."""
        element = self.page.locator(selector).first
        element.scroll_into_view_if_needed()
        for image in element.locator("img").all():
            image.evaluate("image => image.decode()")
        element.screenshot(path=folder / "seen.png")
        return np.asarray(Image.open(folder / "seen.png").convert("RGB"), dtype=np.int16)


@pytest.fixture
def opened(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Opened]:
    """Open the page that the test names, 'one' unless it does, and close it without complaints."""
    reports = request.getfixturevalue("reports")
    context = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True)
    context.set_default_timeout(60_000)
    opened = Opened(context.new_page(), reports[getattr(request, "param", "one")])
    yield opened
    assert opened.complaints == []
    assert all(url.startswith(("file:", "data:")) for url in opened.requests)
    assert "hacked" not in opened.page.title()
    context.close()


def about(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("opened", [name], indirect=True)
