"""The HTML page of a comparison: tables, and the maps of all methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from input_iba.drawing import Grid, Pixels, Shown, colourise, scale_to_range
from input_iba.drawing.heat_map import Floats
from input_iba.drawing.pages import data_uri, render

SIDE = 144
"""Pixels of the longer side of a thumbnail: sharp enough at the size shown, and small."""


@dataclass(frozen=True)
class Card:
    """One sample and its maps.

    Attributes:
        images: Caption and address of each image, what was explained first.
        texts: Of a text of T words, caption, words, and T values of each highlighted copy.
    """

    id: str
    class_name: str
    images: Sequence[tuple[str, str]] = ()
    texts: Sequence[tuple[str, Shown, Sequence[float]]] = ()


@dataclass(frozen=True)
class ComparisonPage:
    """All that the page says.

    Attributes:
        facts: Short facts, from label to value.
        state: Whether the comparison is complete, in a sentence.
        left_out: What was left out and why, a sentence each.
        cards_note: Which samples the cards show.
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
    """Return a small copy of an image (H, W, 3), uint8, as an address that holds it."""
    image = Image.fromarray(pixels)
    scale = SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST)
    return data_uri(np.asarray(small), "JPEG", quality=88)


def map_thumbnail(mask: Floats) -> str:
    """Return a map (H, W), stretched to its own range and coloured, as a thumbnail."""
    return thumbnail(colourise(scale_to_range(mask)))


def comparison_page(page: ComparisonPage) -> str:
    """Return one page without scripts that needs no other file."""
    return render("comparison.html.j2", "input_iba.report", **vars(page))
