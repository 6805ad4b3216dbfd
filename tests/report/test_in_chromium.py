"""The report as a reader meets it: opened from disk in a browser, without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from input_iba.report import report_folders
from tests.report.conftest import IDS, IN_CHROMIUM, Opened, about
from tests.report.work_dirs import CLASSES, EVIL, make_run

pytest.importorskip("playwright")
pytestmark = IN_CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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
