"""The site that `make docs` has built: links, accessibility, narrow screens, and search.

Skipped where it is not built, and what needs a browser where Chromium is not installed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin

import pytest

from tests.documents.printed import ROOT
from tests.report.conftest import CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Page

SITE = ROOT / "build" / "site"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
LOOKED_AT = (
    *("index.html", "start.html", "how-to/is_it_right.html", "gallery.html", "methods.html"),
    *("reference/index.html", "tutorials/concepts.html"),
    "tutorials/vision_attribution_notebook.html",
)
"""Pages that a browser opens: one of each kind."""

SCHEMES = {"light": "default", "dark": "slate"}
RULES = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
}
"""Of axe: those of the standard, levels A and AA, and what other colours can break."""

HERE = "http://site/"
WIDE: Any = {"width": 1280, "height": 900}
NARROW: Any = {"width": 400, "height": 800}
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MAX_BYTES = 800_000
"""Of all pictures that were drawn for the site."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PAGES, reason="the site is not built: make docs"),
]
in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@cache
def text_of(page: str) -> str:
    return (SITE / page).read_text(encoding="utf-8")


def addresses(page: str) -> list[str]:
    """Return the whole addresses that a page links to, shows or runs."""
    found = re.findall(
        r"<(?:a|link|img|script)\b[^>]*?\s(?:href|src)=[\"']?([^\"'\s>]+)", text_of(page)
    )
    return [urljoin(HERE + page, address) for address in found]


@cache
def anchors(page: str) -> frozenset[str]:
    return frozenset(re.findall(r"\s(?:id|name)=[\"']?([^\"'\s>]+)", text_of(page)))


@pytest.mark.parametrize("page", [page for page in PAGES if page != "404.html"])
def test_no_link_of_a_page_is_dead(page: str) -> None:
    dead = []
    for address in addresses(page):
        if not address.startswith(HERE):
            continue
        name, _, anchor = unquote(address.removeprefix(HERE)).partition("#")
        name = name if name and not name.endswith("/") else f"{name}index.html"
        of_page = name.endswith(".html") and anchor
        if not (SITE / name).is_file() or (of_page and anchor not in anchors(name)):
            dead.append(address)
    assert dead == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_nothing_from_elsewhere(page: str) -> None:
    loaded = re.findall(
        r"<(?:link|img|script|iframe)\b[^>]*?\s(?:href|src)=[\"']?(http[^\"'\s>]+)", text_of(page)
    )
    assert loaded == []


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "docs" / "images").iterdir()) < MAX_BYTES


class Quiet(SimpleHTTPRequestHandler):
    """Hands out files, and says nothing."""

    def log_message(self, *_arguments: Any) -> None:
        """Write no log."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    handler = partial(Quiet, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    """A page of Chromium that remembers complaints, and requests to elsewhere."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: (
                complaints.append(asked.url)
                if not asked.url.startswith((address, "data:", "blob:"))
                else None
            ),
        )
        yield page
        assert complaints == []
        browser.close()


@in_chromium
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_can_be_read_by_everyone(page: Page, address: str, name: str, scheme: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme=scheme)
    page.goto(address + name)
    page.evaluate("localStorage.clear()")  # which colours were shown before
    page.reload()
    assert page.locator("body").get_attribute("data-md-color-scheme") == SCHEMES[scheme]
    found = Axe().run(page, options=RULES[scheme]).response["violations"]
    wrong = [f"{v['id']}: {node['html'][:120]}" for v in found for node in v["nodes"]]
    assert wrong == []


@in_chromium
@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_screen_shows_a_page_whole(page: Page, address: str, name: str) -> None:
    page.set_viewport_size(NARROW)
    page.goto(address + name)
    assert page.evaluate(TOO_WIDE) == 0


@in_chromium
def test_the_start_fits_on_one_screen(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{address}start.html")
    lowest = page.locator(".start").evaluate("start => start.getBoundingClientRect().bottom")
    assert lowest <= 800
    blocks = page.locator(".start pre code").all()
    assert [block.evaluate("b => b.scrollWidth - b.clientWidth") for block in blocks] == [0] * 5


@in_chromium
def test_search_finds_a_page(page: Page, address: str) -> None:
    page.set_viewport_size(WIDE)
    page.goto(f"{address}index.html")
    page.locator("[data-md-component=search-query]").fill("contrast")
    page.locator(".md-search-result__link").first.wait_for()
    assert page.locator(".md-search-result__link").count() > 1
