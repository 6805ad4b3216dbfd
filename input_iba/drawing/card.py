"""One explained sample as a notebook shows it, and as a window or a file does."""

from __future__ import annotations

import base64
import io
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from input_iba.drawing.heat_map import Pixels
from input_iba.drawing.words import (
    Shown,
    as_it_stands,
    highlighted,
    printable,
    word_heats,
)

Words = Sequence[tuple[str, float]]
"""The words of a text, each with its value."""

STYLE = """
.input-iba-card figure { display: inline-block; margin: 0 .75em .5em 0; width: 180px;
  max-width: 46%; vertical-align: top; }
.input-iba-card img { display: block; width: 100%; height: auto; }
.input-iba-card figcaption { font-size: 85%; opacity: .8; }
.input-iba-card .text { line-height: 1.9; max-width: 46em; overflow-wrap: anywhere;
  white-space: pre-wrap; }
.input-iba-card .text span { background: rgb(233 98 40 / var(--heat)); border-radius: .25em;
  padding: .1em .15em; }
"""

COLUMNS, LINE = 80, 0.3
"""Letters of a line of text in a window, and its height in inches."""

LETTER = 0.0833
"""Width of a letter in inches: monospaced, ten points."""


class Drawn:
    """What draws itself: in a notebook as HTML, elsewhere by `show`.

    Attributes:
        gaps: What stands before, between and behind the words of a text; nothing for single spaces.
    """

    gaps: Sequence[str] = ()

    @abstractmethod
    def title(self) -> str:
        """Return what is said of the sample in one line."""

    @abstractmethod
    def pictures(self) -> Mapping[str, Pixels]:
        """Return pictures (H, W, 3), uint8, by their caption; none of a text."""

    @abstractmethod
    def coloured_words(self) -> Words:
        """Return the words of a text with their values; none of an image."""

    def _repr_html_(self) -> str:
        """Return a piece of HTML without scripts and without files beside it."""
        return card(self.title(), self.pictures(), self.coloured_words(), self.gaps)

    def show(self, path: str | Path | None = None) -> None:
        """Open a window with the pictures, or the coloured words, where there is a display.

        Args:
            path: File to write them to instead; its ending says the format: .png, .pdf, .svg.
        """
        if path is not None:
            draw_card(Figure(layout="constrained"), self).savefig(path, dpi=110)
            return
        import matplotlib.pyplot as plt  # chooses how windows open, so only where one is to

        draw_card(plt.figure(layout="constrained"), self)
        plt.show()

    def save(self, path: str | Path) -> None:
        """Write the pictures, or the coloured words, to a file; its ending says the format."""
        self.show(path)


def card(title: str, pictures: Mapping[str, Pixels], words: Words, gaps: Sequence[str] = ()) -> str:
    """Return a title, pictures and coloured words as a piece of HTML.

    Args:
        title: Escaped, as all words are.
        pictures: (H, W, 3), uint8, by their caption.
        words: Each with its value.
        gaps: What stands before, between and behind them; nothing for single spaces.
    """
    figures = "".join(
        f'<figure><img src="{png_uri(pixels)}" alt="{escape(caption)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, pixels in pictures.items()
    )
    text = ""
    if words:
        shown = Shown([word for word, _ in words], gaps)
        text = highlighted(shown, np.array([value for _, value in words]))
    head = f"<p><b>{escape(printable(title))}</b></p>"
    return f'<div class="input-iba-card"><style>{STYLE}</style>{head}{figures}{text}</div>'


def png_uri(pixels: Pixels) -> str:
    """Return a picture as a `data:` address.

    Args:
        pixels: (H, W, 3) or (H, W), uint8.

    >>> png_uri(np.zeros((1, 1), dtype=np.uint8))[:22]
    'data:image/png;base64,'
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def draw_card(figure: Any, drawn: Drawn) -> Any:
    """Draw pictures side by side, or coloured words line by line; return the figure.

    Args:
        figure: An empty figure of matplotlib's; its size is set.
        drawn: What is shown.
    """
    pictures, words = drawn.pictures(), drawn.coloured_words()
    figure.suptitle(printable(drawn.title()), fontsize=11, parse_math=False)
    if words:
        draw_words(figure, words, drawn.gaps)
    elif pictures:
        figure.set_size_inches(2.6 * len(pictures), 3.1)
        axes = figure.subplots(1, len(pictures), squeeze=False)[0]
        for axis, (caption, pixels) in zip(axes, pictures.items(), strict=True):
            axis.imshow(pixels)
            axis.set_title(caption, fontsize=9)
            axis.set_axis_off()
    return figure


def draw_words(figure: Any, words: Words, gaps: Sequence[str] = ()) -> None:
    """Draw coloured words line by line, with what stands around them.

    Args:
        figure: An empty figure of matplotlib's; its size is set.
        words: Each with its value.
        gaps: What stands before, between and behind them; nothing for single spaces.
    """
    parts = Shown([word for word, _ in words], gaps).parts
    heats = np.zeros(len(parts))
    heats[1::2] = word_heats(np.array([value for _, value in words]))
    placed, x, line = list[tuple[int, int, str, float]](), 0, 0
    for text, heat in zip(parts, heats.tolist(), strict=True):
        for i, part in enumerate(as_it_stands(text).split("\n")):
            if i or (x and x + len(part) > COLUMNS):
                x, line = 0, line + 1
            if part.strip():
                placed.append((x, line, part, heat))
            x += len(part) if x or part.strip() else 0
    figure.set_size_inches(COLUMNS * LETTER + 0.5, (line + 1) * LINE + 0.6)
    axis = figure.subplots()
    axis.set(xlim=(0, COLUMNS), ylim=(line + 0.6, -0.6))
    axis.set_axis_off()
    for column, row, part, heat in placed:
        axis.text(
            *(column, row, part),
            family="monospace",
            fontsize=10,
            verticalalignment="center",
            bbox={"facecolor": (0.91, 0.38, 0.16, heat), "linewidth": 0, "pad": 1.5},
            parse_math=False,
        )
