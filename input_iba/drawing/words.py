"""Texts for terminals and pages: printable, with their words coloured by a mask."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from input_iba.drawing.heat_map import Floats, scale_to_peak

TEXT_STYLE = """
.text { line-height: 1.9; overflow-wrap: anywhere; white-space: pre-wrap; --strength: 1; }
.text span { border-radius: .25em; padding: .1em .15em;
  background: rgb(233 98 40 / calc(var(--heat) * var(--strength))); }
.text span:hover { outline: 2px solid var(--accent); }
@media (prefers-color-scheme: dark) { .text { --strength: .7; } }
"""

JOINERS = "\u200c\u200d"
"""They keep letters apart, or make one emoji of several, and are not to be seen themselves."""


@dataclass(frozen=True)
class Shown:
    """A text as it is shown.

    Attributes:
        words: T words.
        gaps: T + 1 pieces of text before, between and behind them; none for single spaces.
    """

    words: Sequence[str]
    gaps: Sequence[str] = ()

    @property
    def around(self) -> list[str]:
        """Return the T + 1 gaps, with single spaces where nothing is said.

        >>> Shown(["A", "film"]).around
        ['', ' ', '']
        """
        return list(self.gaps) or ["", *[" "] * (len(self.words) - 1), ""]

    @property
    def parts(self) -> list[str]:
        """Return the gaps and words in the order of the text, 2 T + 1 pieces.

        >>> Shown(["A", "film"]).parts
        ['', 'A', ' ', 'film', '']
        """
        first, *gaps = self.around
        pairs = zip(self.words, gaps, strict=True)
        return [first, *(part for pair in pairs for part in pair)]


def split_at(text: str, spans: Sequence[tuple[int, int]]) -> Shown:
    """Split a text into words and what stands around them.

    Args:
        text: Any.
        spans: First and last character (exclusive) of every word, ascending.

    >>> split_at("“Fun”, he said", [(1, 4), (7, 9), (10, 14)])
    Shown(words=['Fun', 'he', 'said'], gaps=['“', '”, ', ' ', ''])
    """
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(text)]
    gaps = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    return Shown([text[start:end] for start, end in spans], gaps)


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


def as_it_stands(text: str) -> str:
    r"""Escape what a page may not hold, and keep white space and what joins letters.

    >>> print(as_it_stands("a\u3000b\n\x07"))
    a　b
    \x07
    """
    return "".join(
        c if c in "\n\t" or c in JOINERS or unicodedata.category(c)[0] == "Z" else printable(c)
        for c in text
    )


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


def highlighted(text: Shown | Sequence[str], mask: Floats, unit: str = "") -> str:
    """Return a text with its words in the colours of a mask.

    Each word tells its value where the pointer rests; what stands between words is as it is.

    Args:
        text: T words, with what stands around them or without; everything is escaped.
        mask: (T,), any values.
        unit: Behind the value that a word tells.

    Returns:
        A paragraph of HTML.

    >>> import numpy as np
    >>> highlighted(["<b>", "good"], np.array([0.25, 0.75])).count("<span")
    2
    """
    shown = text if isinstance(text, Shown) else Shown(text)
    gaps = [escape(as_it_stands(gap)) for gap in shown.around]
    spans = (
        f'<span style="--heat:{heat:.3f}" title="{value:.4g}{escape(unit)}">'
        f"{escape(as_it_stands(word))}</span>{gap}"
        for word, value, heat, gap in zip(
            shown.words, mask.tolist(), word_heats(mask).tolist(), gaps[1:], strict=True
        )
    )
    return f'<p class="text">{gaps[0]}{"".join(spans)}</p>'
