"""Texts with their words coloured by a mask, as HTML; and masks of texts as strips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from input_iba.drawing.heat_map import Floats, Pixels, to_8_bits
from input_iba.drawing.page_style import page_head
from input_iba.drawing.words import TEXT_STYLE, Shown, highlighted, printable

STRIP_HEIGHT, WORD_WIDTH, MOST_PIXELS = 16, 8, 60_000
"""Pixels of a strip and of one word in it; viewers open no wider pictures."""


def highlighted_page(
    title: str, facts: Mapping[str, str], text: Shown | Sequence[str], masks: Mapping[str, Floats]
) -> str:
    """Return one static page without scripts: a text under each of some masks.

    Args:
        title: Heading, the sample's id.
        facts: What is said about it, from label to value.
        text: T words, with what stands around them or without.
        masks: From heading, which may end in a unit in parentheses, to a mask (T,).
    """
    told = "".join(
        f"<div><dt>{escape(printable(label))}</dt><dd>{escape(printable(value))}</dd></div>"
        for label, value in facts.items()
    )
    sections = "\n".join(
        f"<article><h2>{escape(heading)}</h2>\n{highlighted(text, mask)}\n</article>"
        for heading, mask in masks.items()
    )
    name = escape(printable(title))
    return f"""{page_head(name + ": which words decided", TEXT_STYLE)}
<header>
<p class="kicker">input_iba</p>
<h1>{name}</h1>
<dl class="facts">{told}</dl>
</header>
<main>
{sections}
</main>
<footer><p>The stronger the colour, the more the classifier used the word; colours begin at
the median of each mask and are full at its largest value. Rest the pointer on a word for its
value.</p></footer>
</body>
</html>
"""


def strip(mask: Floats) -> Pixels:
    """Draw the mask of a text as a strip: one upright bar per word.

    Args:
        mask: (T,) in [0, 1].

    Returns:
        (height, width), uint8.

    >>> strip(np.array([0.0, 1.0])).shape
    (16, 16)
    """
    width = max(min(WORD_WIDTH, MOST_PIXELS // len(mask)), 1)
    line: NDArray[Any] = to_8_bits(mask).repeat(width)
    return np.tile(line, (STRIP_HEIGHT, 1))
