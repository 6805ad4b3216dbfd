"""The page of a comparison: complete in one file, and safe with any name."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from input_iba.drawing import Grid, Shown, as_markdown, as_plain
from input_iba.report.comparison_page import (
    SIDE,
    Card,
    ComparisonPage,
    comparison_page,
    map_thumbnail,
    thumbnail,
)

BAD = "<script>alert('1')</script>\n|&\"x"


def page(text: str) -> str:
    picture = thumbnail(np.zeros((8, 8, 3), dtype=np.uint8))
    return comparison_page(
        ComparisonPage(
            title=text,
            facts={text: text},
            state=text,
            complete=False,
            grids=[Grid(text, [text, text], [[text, text]], frozenset({(0, 1)}), text)],
            left_out=[text],
            cards=[
                Card(text, text, [(text, picture), ("map", picture)]),
                Card(text, text, texts=[(text, Shown([text, text], [text] * 3), [0.5, 1.0])]),
            ],
            cards_note=text,
        )
    )


def test_every_text_is_escaped() -> None:
    plain, bad = page("plain"), page(BAD)
    assert "<script" not in bad
    assert "alert('1')" not in bad
    # The same tags, whatever the texts are: nothing broke out of its place.
    tags = [re.findall(r"</?[a-z0-9]+", text) for text in (plain, bad)]
    assert tags[0] == tags[1]
    assert bad.count("&lt;script&gt;") == plain.count("plain")


def test_no_script_may_run_and_nothing_is_loaded_from_elsewhere() -> None:
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page("plain"))
    assert policy.startswith("default-src &#39;none&#39;")
    assert "script-src" not in policy


def test_the_page_needs_no_other_file_and_knows_the_dark() -> None:
    text = page("plain")
    assert "prefers-color-scheme: dark" in text
    assert 'name="color-scheme" content="light dark"' in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) == 2
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "url(" not in text
    assert "@import" not in text


def opened(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


def test_thumbnails_keep_their_shape() -> None:
    wide = np.zeros((300, 600, 3), dtype=np.uint8)
    wide[:, 300:] = 255
    image = opened(thumbnail(wide))
    assert image.size == (SIDE, SIDE // 2)
    assert np.asarray(image.convert("L"))[:, [5, -5]].mean(0).round().tolist() == [0, 255]
    small = opened(thumbnail(np.zeros((32, 32, 3), dtype=np.uint8)))
    assert small.size == (SIDE, SIDE)


def test_maps_are_stretched_to_their_own_range() -> None:
    mask = np.zeros((20, 20))
    mask[:10] = 1
    first, second = (opened(map_thumbnail(values)) for values in (mask, 1e-6 * mask - 5))
    np.testing.assert_allclose(np.asarray(first, float), np.asarray(second, float), atol=2)
    brightness = np.asarray(first.convert("L"), float)
    assert brightness[:50].mean() > brightness[-50:].mean() + 100
    assert opened(map_thumbnail(np.ones((4, 4)))).size == (SIDE, SIDE)


def test_grids_line_up() -> None:
    grid = Grid(
        "Title", ["method", "mean"], [["a", "0.5"], ["longer", "10.25"]], frozenset({(1, 1)})
    )
    assert as_plain(grid).splitlines() == [
        "Title",
        "method   mean",
        "a         0.5",
        "longer  10.25",
    ]
    assert as_markdown(grid).splitlines()[-1] == "| longer | **10.25** |"
    html = comparison_page(ComparisonPage("", {}, "", True, [grid], [], [], ""))
    assert '<td class="best">10.25</td>' in html
    assert '<th scope="row">longer</th>' in html


def test_markdown_of_any_text_is_one_cell() -> None:
    row = as_markdown(Grid("T", ["a", "b"], [[BAD, "`*_[x]"]])).splitlines()[-1]
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    assert "<" not in row
    assert "\\`\\*\\_\\[x\\]" in row
