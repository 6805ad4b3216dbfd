"""The report as a reader meets it: opened from disk in a browser, without a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from input_iba.drawing.words import word_heats
from input_iba.engine.report import report_folders
from tests.engine.report.work_dirs import CLASSES, EVIL, make_result, make_run

pytest.importorskip("playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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


@pytest.mark.parametrize("opened", ["one", "two"], indirect=True)
def test_all_pictures_load(opened: Opened) -> None:
    images = opened.page.locator("img")
    assert images.count() > 5 * len(IDS)
    for image in images.all():
        image.scroll_into_view_if_needed()
        image.evaluate("image => image.decode()")
        assert image.evaluate("image => image.naturalWidth") == 32


def test_pictures_out_of_sight_wait(browser: Browser, tmp_path: Path) -> None:
    run = make_run(tmp_path / "many", [f"sample {i}" for i in range(60)]).root
    opened = Opened(browser.new_page(), report_folders([run]))
    # Pictures in view are asked for after the first frame, which may be later than the load event.
    opened.page.eval_on_selector("img", "image => image.decode()")
    asked = sum("/images/" in url for url in opened.requests)
    assert 0 < asked < 40
    opened.page.close()


def test_the_opacity_changes_the_overlay(opened: Opened, tmp_path: Path) -> None:
    opened.slide("opacity", 0)
    nothing = opened.pixels("a.stack", tmp_path)
    opened.slide("opacity", 100)
    overlay = opened.pixels("a.stack", tmp_path)
    opened.page.eval_on_selector("a.stack .heat", "heat => heat.remove()")
    opened.page.eval_on_selector("a.stack .base", "base => { base.style.filter = 'none'; }")
    photograph = opened.pixels("a.stack", tmp_path)
    assert np.abs(nothing - photograph).max() <= 2
    assert np.abs(overlay - photograph).mean() > 20
    assert opened.page.inner_text("#opacity-value") == "100 %"


def test_the_threshold_hides_heat(opened: Opened, tmp_path: Path) -> None:
    opened.slide("opacity", 100)
    # Without heat the overlay is the photograph in grey, where all channels are equal.
    colour = []
    for threshold in (0, 50, 100):
        opened.slide("threshold", threshold)
        seen = opened.pixels("a.stack", tmp_path)
        colour.append(float((np.ptp(seen, axis=2) > 8).mean()))
    assert colour[0] > 0.8
    assert 0.05 < colour[1] < colour[0]
    assert colour[2] < 0.05


def test_search_and_class_filter_together(opened: Opened) -> None:
    page = opened.page
    assert opened.shown() == IDS
    page.fill("#search", "50%#")
    assert opened.shown() == ["b 50%#", EVIL]
    assert page.inner_text("#count") == "2 of 4 samples"
    page.select_option("#class", label="tabby (2)")
    assert opened.shown() == [EVIL]
    page.fill("#search", "")
    assert opened.shown() == ["a/1", EVIL]
    page.fill("#search", "no such sample")
    assert page.inner_text("#count") == "0 of 4 samples"
    page.fill("#search", "TIGER <B>")
    page.select_option("#class", "*")
    assert opened.shown() == ["b 50%#"]


def test_sorting_by_probability_seconds_and_metric(opened: Opened) -> None:
    page = opened.page
    page.select_option("#sort", label="probability, high to low")
    assert opened.shown() == IDS[::-1]
    page.select_option("#sort", label="seconds, high to low")
    assert opened.shown() == IDS
    page.select_option("#sort", label="insertion_deletion difference, high to low")
    best = [EVIL, "a/1", "b 50%#", "c"]
    assert opened.shown() == best
    assert opened.texts("article .sorted")[0] == "insertion_deletion difference: 1.50"
    page.click("#reverse")
    assert opened.shown() == [*best[2::-1], "c"]  # what has no score stays last
    page.select_option("#sort", label="order of the run")
    assert opened.shown() == IDS[::-1]
    page.click("#reverse")
    assert opened.shown() == IDS
    page.select_option("#sort", label="class")
    assert opened.texts("article h3")[0] == CLASSES[2]


def test_the_most_probable_classes_are_read_and_drawn(opened: Opened) -> None:
    opened.page.locator("article summary").first.click()
    classes = opened.page.locator("article .classes").first
    assert [line.strip() for line in classes.aria_snapshot().splitlines()] == [
        *("- list:", "- listitem:", "- text: tabby", "- emphasis: explained", "- text: 90 %"),
        f"- listitem: {json.dumps(f'{EVIL} 5 %')}",
    ]
    sizes = classes.locator("li").evaluate_all(
        "all => all.map(e => getComputedStyle(e).backgroundSize.split(' ')[0])"
    )
    assert sizes == ["90%", "5%"]


@about("two")
def test_runs_stand_side_by_side(opened: Opened) -> None:
    second = "article:nth-of-type(2)"
    assert opened.texts(f"{second} h4") == ["Photograph", "own", "grad_cam"]
    tops = opened.page.locator(f"{second} .method").evaluate_all("all => all.map(e => e.offsetTop)")
    assert len(set(tops)) == 1
    opened.page.select_option("#sort", "5")
    assert "grad_cam" in opened.texts("article .sorted")[0]


def test_arrow_keys_go_from_sample_to_sample(opened: Opened) -> None:
    page = opened.page
    focused = "document.activeElement.dataset.id"
    page.focus("article")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == IDS[1]
    page.keyboard.press("End")
    assert page.evaluate(focused) == IDS[-1]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == IDS[-2]
    assert page.evaluate("document.querySelectorAll('article[tabindex=\"0\"]').length") == 1


def test_all_controls_can_be_reached_with_the_tabulator(opened: Opened) -> None:
    reached = []
    for _ in range(14):
        opened.page.keyboard.press("Tab")
        reached.append(opened.page.evaluate("document.activeElement.id"))
    wanted = ["search", "class", "sort", "reverse", "opacity", "threshold"]
    assert [id_ for id_ in reached if id_ in wanted] == wanted


def test_controls_and_samples_have_names_for_screen_readers(opened: Opened) -> None:
    page = opened.page
    for role, name in [
        ("searchbox", "Search"),
        ("combobox", "Class"),
        ("combobox", "Sort by"),
        ("slider", "Overlay's opacity"),
        ("slider", "Hide heat below"),
        ("feed", "Samples"),
        ("article", "tabby"),
        ("img", "insertion, higher is better goes from 0 at 0 to 1 at 1"),
    ]:
        assert page.get_by_role(role, name=name).count() >= 1, (role, name)  # type: ignore[arg-type]


@about("reviews")
def test_a_script_in_a_review_is_shown_as_text(opened: Opened) -> None:
    page = opened.page
    words = opened.texts("article:first-of-type p.text span")
    assert words == ["a\u00a0b" if w == "a b" else w for w in WORDS["long"]]
    assert page.locator("article script").count() == 0


@about("reviews")
def test_words_tell_their_value_to_pointer_and_keyboard(opened: Opened) -> None:
    page = opened.page
    told = page.locator(".told").first
    words = page.locator("p.text").first.locator("span")
    words.nth(3).hover()
    value = float(str(words.nth(3).get_attribute("title")))
    assert told.text_content() == f"film: {value:.4g}"
    page.locator("p.text").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert str(told.text_content()).startswith("<script>")


@about("reviews")
def test_words_are_coloured_as_in_static_pages(opened: Opened) -> None:
    opened.texts("article:first-of-type p.text span")
    told = opened.page.locator("article:first-of-type p.text span").evaluate_all(
        "all => all.map(e => [Number(e.title), Number(e.style.getPropertyValue('--heat'))])"
    )
    values, heats = np.array(told).T
    assert heats == pytest.approx(word_heats(values), abs=6e-4)


@about("reviews")
def test_words_are_coloured_by_the_mask_that_is_chosen(opened: Opened) -> None:
    page = opened.page
    film = page.locator("p.text").first.locator("span").nth(3)
    before = film.get_attribute("title")
    page.select_option("#words", label="prior")
    page.wait_for_function(
        "before => document.querySelectorAll('p.text span')[3].title != before", arg=before
    )
    opened.slide("threshold", 100)
    cold = page.locator("p.text").first.locator("span.cold")
    assert cold.count() == len(WORDS["long"]) - 1
    assert cold.first.evaluate("e => getComputedStyle(e).backgroundColor") == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("name", ["one", "two", "reviews"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_needs_no_sideways_scrolling(
    browser: Browser, reports: dict[str, Path], name: str, scheme: str
) -> None:
    width = 400
    page = browser.new_page(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    opened = Opened(page, reports[name])
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for article in page.locator("article").all():
        article.scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = sum(map(int, background.removeprefix("rgb(").removesuffix(")").split(","))) < 200
    assert dark == (scheme == "dark")
    assert opened.complaints == []
    page.close()
