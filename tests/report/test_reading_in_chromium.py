"""Reading the report in a browser: words, keyboard, screen reader, a narrow screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from input_iba.drawing.words import word_heats
from tests.report.conftest import IDS, IN_CHROMIUM, WORDS, Opened, about

pytest.importorskip("playwright")
pytestmark = IN_CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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
    assert words == list(WORDS["long"])
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
