"""Texts for terminals and pages: printable, with their words coloured by a mask."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from input_iba.drawing.heat_map import Floats, scale_to_peak

TEXT_STYLE = """
.text { line-height: 1.9; overflow-wrap: anywhere; --strength: 1; }
.text span { border-radius: .25em; padding: .1em .15em;
  background: rgb(233 98 40 / calc(var(--heat) * var(--strength))); }
.text span:hover { outline: 2px solid var(--accent); }
@media (prefers-color-scheme: dark) { .text { --strength: .7; } }
"""


def printable(text: str) -> str:
    r"""Escape what a stream or page may not hold: control characters, undecodable bytes.

    >>> print(printable("a\nb"))
    a\nb
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def printable_lines(text: str) -> str:
    r"""Escape what `printable` does, except for line breaks.

    >>> print(printable_lines("a\tb\nc"))
    a\tb
    c
    """
    return "\n".join(map(printable, text.split("\n")))


def percent(probability: float | None) -> str:
    """Return a probability for reading.

    >>> percent(0.98765), percent(1.0), percent(0.00002), percent(None)
    ('98.8 %', '100 %', '< 0.1 %', '–')
    """
    if probability is None:
        return "–"
    if 0 < probability < 0.001:
        return "< 0.1 %"
    if 0.9995 <= probability < 1:
        return "> 99.9 %"
    return f"{100 * probability:.3g} %"


def word_heats(mask: Floats) -> Floats:
    """Return how strongly words are coloured: not at all up to the median, fully at the largest.

    Stretched from the smallest value instead, one word below all others would tint the whole text,
    and a signed mask would tint all words that do not matter. Of an even number of words the lower
    of the two in the middle is the median, and where it is the largest value, the smallest counts.

    Args:
        mask: (T,), any values.

    Returns:
        (T,) in [0, 1]; all zero when the mask is flat.

    >>> word_heats(np.array([-1.0, 0.0, 0.0, 2.0, 1.0])).tolist()
    [0.0, 0.0, 0.0, 1.0, 0.5]
    """
    middle = np.sort(mask)[(len(mask) - 1) // 2]
    base = middle if middle < mask.max() else mask.min()
    return scale_to_peak(np.maximum(mask - base, 0))


def highlighted(tokens: Sequence[str], mask: Floats, unit: str = "") -> str:
    """Return words with the colours of a mask; each tells its value where the pointer rests.

    Args:
        tokens: T words; everything in them is escaped.
        mask: (T,), any values.
        unit: Behind the value that a word tells.

    Returns:
        A paragraph of HTML.

    >>> import numpy as np
    >>> highlighted(["<b>", "good"], np.array([0.25, 0.75])).count("<span")
    2
    """
    heats = word_heats(mask)
    spans = (
        f'<span style="--heat:{heat:.3f}" title="{value:.4g}{escape(unit)}">'
        f"{escape(printable(token))}</span>"
        for token, value, heat in zip(tokens, mask.tolist(), heats.tolist(), strict=True)
    )
    return f'<p class="text">{" ".join(spans)}</p>'
