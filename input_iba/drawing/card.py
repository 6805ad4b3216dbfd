"""One explained sample as a notebook shows it, and as a window or a file does."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from input_iba.drawing.heat_map import Floats, Pixels
from input_iba.drawing.pages import data_uri, highlighted, render
from input_iba.drawing.words import Shown, as_it_stands, printable, word_heats

Words = Sequence[tuple[str, float]]
"""The words of a text, each with its value."""

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
    def images(self) -> Mapping[str, Pixels]:
        """Return images (H, W, 3), uint8, by their caption; none of a text."""

    @abstractmethod
    def coloured_words(self) -> Words:
        """Return the words of a text with their values; none of an image."""

    def _repr_html_(self) -> Markup:
        """Return a piece of HTML without scripts and without files beside it."""
        images = {name: data_uri(pixels, optimize=True) for name, pixels in self.images().items()}
        text = ""
        if pairs := self.coloured_words():
            words, values = zip(*pairs, strict=True)
            text = highlighted(Shown(words, self.gaps), np.array(values))
        return render("card.html.j2", title=self.title(), images=images, text=text)

    def show(self, path: str | Path | None = None) -> None:
        """Open a window with the images, or the coloured words; given a path, save them there."""
        if path is not None:
            draw_card(Figure(layout="constrained"), self).savefig(path, dpi=110)
            return
        import matplotlib.pyplot as plt  # chooses how windows open, so only where one is to

        draw_card(plt.figure(layout="constrained"), self)
        plt.show()

    def save(self, path: str | Path) -> None:
        """Write the images, or the coloured words, to a file: .png, .pdf or .svg."""
        self.show(path)


def questions_card(text: Shown, questions: Sequence[tuple[str, str, Floats]]) -> Markup:
    """Return a card with one text and a choice of questions, each of which colours its words.

    `questions` are the words to choose them by, a line about each, and the map, (T,). The piece of
    HTML has no scripts and no files beside it.

    >>> asked = [("all", "all: 90 %", np.array([0.2, 0.7])), ("b", "b: 80 %", np.array([0.7, 0.2]))]
    >>> questions_card(Shown(["a", "b"]), asked).count("<section>")
    2
    """
    shown = [(label, title, highlighted(text, mask)) for label, title, mask in questions]
    name = f"q{hashlib.sha256(repr(shown).encode()).hexdigest()[:12]}"  # one choice in each card
    return render("questions.html.j2", name=name, questions=shown)


def draw_card(figure: Any, drawn: Drawn) -> Any:
    """Draw images side by side, or coloured words line by line, on an empty figure; return it."""
    images, words = drawn.images(), drawn.coloured_words()
    figure.suptitle(printable(drawn.title()), fontsize=11, parse_math=False)
    if words:
        draw_words(figure, words, drawn.gaps)
    elif images:
        figure.set_size_inches(2.6 * len(images), 3.1)
        axes = figure.subplots(1, len(images), squeeze=False)[0]
        for axis, (caption, pixels) in zip(axes, images.items(), strict=True):
            axis.imshow(pixels)
            axis.set_title(caption, fontsize=9)
            axis.set_axis_off()
    return figure


def draw_words(figure: Any, words: Words, gaps: Sequence[str] = ()) -> None:
    """Draw coloured words with what stands around them, line by line, on an empty figure."""
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
            column,
            row,
            part,
            family="monospace",
            fontsize=10,
            verticalalignment="center",
            bbox={"facecolor": (0.91, 0.38, 0.16, heat), "linewidth": 0, "pad": 1.5},
            parse_math=False,
        )
