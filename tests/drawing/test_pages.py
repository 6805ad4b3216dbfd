"""Highlighted texts: every word with its value and colour, and nothing of the text as HTML."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from input_iba.drawing import highlighted, highlighted_page, strip
from input_iba.drawing.pages import environment
from input_iba.drawing.words import split_at

WORDS = ["<script>", 'a"b', "good", "&amp;", "\x00"]


def heats(mask: list[float]) -> list[float]:
    html = highlighted(["word"] * len(mask), np.array(mask))
    return [float(v) for v in re.findall(r"--heat:([0-9.]+)", html)]


def test_words_have_colours_from_the_median_to_the_largest() -> None:
    assert heats([0.2, 0.4, 0.6, 0.3, 0.1]) == [0, 0.333, 1, 0, 0]
    # One word below all others tints nothing, and of a signed mask only what speaks for the class.
    assert heats([0.5, 0.5, 0.0, 0.5, 1.0, 0.75]) == [0, 0, 0, 0, 1, 0.5]
    assert heats([-4, 0, 0, 0, 2]) == [0, 0, 0, 0, 1]


def test_masks_without_a_middle_have_colours_too() -> None:
    assert heats([0.0, 1.0]) == [0, 1]
    assert heats([1.0, 1.0, 0.0]) == [1, 1, 0]
    assert heats([0.7]) == [0]


def test_words_tell_their_values() -> None:
    html = highlighted(WORDS, np.array([0.2, 0.4, 0.6, 0.3, 0.2]))
    assert re.findall(r'title="([^"]+)"', html) == ["0.2", "0.4", "0.6", "0.3", "0.2"]


@given(st.lists(st.text(min_size=1), min_size=1, max_size=8))
def test_no_word_breaks_out_of_the_page(words: list[str]) -> None:
    html = highlighted(words, np.linspace(0, 1, len(words)))
    assert html.count("<") == 2 * len(words) + 2
    assert html.count(">") == 2 * len(words) + 2
    html.encode()


TEXT = "“It's <b>so</b>\tdull”,\n\n  he said & left. 电影\u3000👩\u200d💻"


def test_a_text_is_shown_as_it_stands() -> None:
    places = [match.span() for match in re.finditer(r"\w+", TEXT)]
    html = highlighted(split_at(TEXT, places), np.linspace(0, 1, len(places)))
    assert unescape(re.sub(r"<[^>]*>", "", html)) == TEXT
    words = re.findall(r"<span[^>]*>([^<]*)</span>", html)
    assert words == ["It", "s", "b", "so", "b", "dull", "he", "said", "left", "电影"]


def test_what_no_page_may_hold_is_escaped_between_words_too() -> None:
    html = highlighted(split_at("a\x07\u202eb", [(0, 1), (3, 4)]), np.array([0.0, 1.0]))
    assert "\\x07\\u202e<span" in html


def test_a_page_has_every_mask_and_escapes_the_rest() -> None:
    masks = {"Input mask": np.ones(5), "Feature mask (bits per word)": np.zeros(5)}
    page = highlighted_page("<id>", {"Class": "<b>"}, WORDS, masks)
    assert page.count('class="text"') == 2
    assert "Feature mask (bits per word)" in page
    assert "<script>" not in page
    assert "&lt;id&gt;" in page
    assert "<b>" not in page


def test_strips_stay_narrow_enough_for_viewers() -> None:
    assert strip(np.array([0.0, 0.5, 1.0])).shape == (16, 24)
    assert strip(np.array([0.0, 0.5, 1.0]))[0, ::8].tolist() == [0, 128, 255]
    assert strip(np.zeros(20_000)).shape[1] <= 60_000


def test_templates_escape_every_value_but_markup() -> None:
    page = environment().from_string("<p>{{ text }}{{ marked }}</p>")
    text = page.render(text="<b>\x07\n", marked=Markup("<i>\n</i>"))
    assert text == "<p>&lt;b&gt;\\x07\\n<i>\n</i></p>"
    with pytest.raises(UndefinedError):
        page.render(text="")
