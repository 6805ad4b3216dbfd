"""HTML from templates, where every value is escaped; and texts with their words coloured."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import matplotlib
import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.colors import to_hex
from PIL import Image

from input_iba.drawing.heat_map import COLOUR_MAP, Floats, Pixels, to_8_bits
from input_iba.drawing.words import Shown, as_it_stands, percent, printable, word_heats

POLICY = "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'"
"""What a page without scripts may load: images from the same place."""

STRIP_HEIGHT, WORD_WIDTH, MAX_PIXELS = 16, 8, 60_000
"""Pixels of a strip and of one word in it; viewers open no wider images."""


@cache
def environment(package: str = "input_iba.drawing") -> Environment:
    """Return what renders the `templates` of a package, which may use those of this one.

    Every value is escaped, and control characters are made visible, unless it is `Markup`.
    """
    found = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in (package, "input_iba.drawing")]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
        # What is `Markup` already may have line breaks.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    found.filters["as_it_stands"] = lambda text: Markup(  # escaped here  # nosec B704
        escape(as_it_stands(text))
    )
    found.filters["percent"] = percent
    found.globals["highlighted"] = lambda text, mask: highlighted(text, np.asarray(mask))
    found.globals["policy"] = POLICY
    colours = matplotlib.colormaps[COLOUR_MAP]
    found.globals["ramp"] = ", ".join(to_hex(colours(i / 8)) for i in range(9))
    return found


def render(template: str, package: str = "input_iba.drawing", **values: Any) -> Markup:
    """Return what a template of a package makes of some values, which it escapes."""
    text = environment(package).get_template(template).render(values)
    return Markup(text)  # the template escaped the values  # nosec B704


def data_uri(pixels: Pixels, kind: str = "PNG", **options: Any) -> str:
    """Return an image (H, W, 3) or (H, W), uint8, as an address that holds it.

    >>> data_uri(np.zeros((1, 1), dtype=np.uint8))[:22]
    'data:image/png;base64,'
    """
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format=kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


def highlighted(text: Shown | Sequence[str], mask: Floats) -> Markup:
    """Return a text of T words as a paragraph of HTML with the words in a mask's colours, (T,).

    Each word tells its value where the pointer rests; what stands between words is as it is.

    >>> highlighted(["<b>", "good"], np.array([0.25, 0.75])).count("<span")
    2
    """
    shown = text if isinstance(text, Shown) else Shown(text)
    first, *gaps = shown.around
    heats = word_heats(mask).tolist()
    words = zip(shown.words, mask.tolist(), heats, gaps, strict=True)
    parts: Any = environment().get_template("parts.html.j2").module
    return Markup(parts.coloured(first, words))  # the template escaped the words  # nosec B704


def highlighted_page(
    title: str, facts: Mapping[str, str], text: Shown | Sequence[str], masks: Mapping[str, Floats]
) -> str:
    """Return one static page without scripts: a text of T words under each of some masks.

    `facts` are from label to value; `masks` from heading, with a unit in parentheses, to (T,).
    """
    texts = {heading: highlighted(text, mask) for heading, mask in masks.items()}
    return render("highlighted.html.j2", title=title, facts=facts, texts=texts)


def strip(mask: Floats) -> Pixels:
    """Draw the mask of a text (T,), in [0, 1], as a strip (height, width): a bar per word.

    >>> strip(np.array([0.0, 1.0])).shape
    (16, 16)
    """
    width = max(min(WORD_WIDTH, MAX_PIXELS // len(mask)), 1)
    return np.tile(to_8_bits(mask).repeat(width), (STRIP_HEIGHT, 1))
