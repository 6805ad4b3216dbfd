"""Texts for terminals and pages: printable, in parts, with how strongly words are coloured."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from input_iba.drawing.heat_map import Floats, scale_to_peak

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

    `spans` are the first and last character (exclusive) of every word, ascending.

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
    if text.isprintable():
        return text
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
    Of any mask (T,) the heats are in [0, 1], all zero where it is flat.

    >>> word_heats(np.array([-1.0, 0.0, 0.0, 2.0, 1.0])).tolist()
    [0.0, 0.0, 0.0, 1.0, 0.5]
    """
    middle = np.sort(mask)[(len(mask) - 1) // 2]
    base = middle if middle < mask.max() else mask.min()
    return scale_to_peak(np.maximum(mask - base, 0))
