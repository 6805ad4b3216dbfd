"""The HTML page of a comparison: tables, and the maps of all methods side by side."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from input_iba.drawing.heat_map import Floats, Pixels, colourise, scale_to_range
from input_iba.drawing.page_style import RAMP_KEY, TABLES, page_head
from input_iba.drawing.tables import Grid, as_html, html_text
from input_iba.drawing.words import TEXT_STYLE

SIDE = 144
"""Pixels of the longer side of a thumbnail: sharp enough at the size shown, and small."""

COMPARISON_STYLE = """
section > h2 { margin-top: 2rem; }
section > p, .left li { color: var(--soft); font-size: .875rem; margin-top: .5rem; }
.left { margin: .5rem 0 0; padding-left: 1.25rem; overflow-wrap: anywhere; }
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .75rem;
  margin-top: .75rem; }
figcaption { overflow-wrap: anywhere; }
"""


@dataclass(frozen=True)
class Card:
    """One sample and its maps.

    Attributes:
        id: The sample's id.
        class_name: Name of the class that was explained.
        pictures: Caption and address of each picture, the photograph first.
        texts: Of a text, caption and HTML of each highlighted copy.
    """

    id: str
    class_name: str
    pictures: Sequence[tuple[str, str]] = ()
    texts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class ComparisonPage:
    """All that the page says.

    Attributes:
        title: Heading.
        facts: Short facts, from label to value.
        state: Whether the comparison is complete, in a sentence.
        complete: The same as a flag.
        grids: The tables.
        left_out: What was left out and why, a sentence each.
        cards: Samples with their maps.
        cards_note: Which samples these are.
    """

    title: str
    facts: Mapping[str, str]
    state: str
    complete: bool
    grids: Sequence[Grid]
    left_out: Sequence[str]
    cards: Sequence[Card]
    cards_note: str


def thumbnail(pixels: Pixels) -> str:
    """Return a small copy of a picture as an address that holds it.

    Args:
        pixels: (H, W, 3), uint8.
    """
    image = Image.fromarray(pixels)
    scale = SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST)
    stream = io.BytesIO()
    small.save(stream, format="JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def map_thumbnail(mask: Floats) -> str:
    """Return a map (H, W), stretched to its own range and coloured, as a thumbnail."""
    return thumbnail(colourise(scale_to_range(mask)))


def comparison_page(page: ComparisonPage) -> str:
    """Return one page without scripts that needs no other file."""
    title = html_text(page.title)
    facts = "".join(
        f"<div><dt>{html_text(label)}</dt><dd>{html_text(value)}</dd></div>"
        for label, value in page.facts.items()
    )
    left_out = "".join(f"<li>{html_text(line)}</li>" for line in page.left_out)
    return f"""{page_head(title, TABLES + COMPARISON_STYLE + TEXT_STYLE)}
<header>
<p class="kicker">input_iba</p>
<h1>{title}</h1>
<dl class="facts">{facts}</dl>
<p class="state {"good" if page.complete else "partial"}">{html_text(page.state)}</p>
{f'<ul class="left">{left_out}</ul>' if left_out else ""}
</header>
<main>
{"".join(map(as_html, page.grids))}
<section><h2>Maps side by side</h2><p>{html_text(page.cards_note)}</p></section>
{"".join(map(_card, page.cards))}
</main>
<footer>
<p>Every map is stretched to its own range.</p>
{"" if any(card.texts for card in page.cards) else RAMP_KEY}
</footer>
</body>
</html>
"""


def _card(card: Card) -> str:
    figures = "".join(
        f'<figure><img src="{html_text(address)}" alt="{html_text(f"{caption}: {card.id}")}" '
        f'loading="lazy"><figcaption>{html_text(caption)}</figcaption></figure>'
        for caption, address in card.pictures
    )
    texts = "".join(f"<h3>{html_text(caption)}</h3>\n{text}\n" for caption, text in card.texts)
    maps = f'<div class="maps">{figures}</div>' if figures else ""
    return (
        f"<article><h2>{html_text(card.class_name)}</h2>"
        f'<p class="id">{html_text(card.id)}</p>{maps}{texts}</article>'
    )
