"""One explained sample as a notebook shows it, and as a window or a file does."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from markupsafe import Markup

from input_iba.drawing.heat_map import Floats, Pixels
from input_iba.drawing.pages import data_uri, highlighted, render
from input_iba.drawing.words import Shown, as_it_stands, printable, word_heats

Words = Sequence[tuple[str, float]]
"""The words of a text, each with its value."""

COLUMNS, LINE = 80, 0.3
"""Letters of a line of text in a window, and its height in inches."""

LETTER = 0.0833
"""Width of a letter in inches: monospaced, ten points."""

COLOURS = {"green": "#2c6e49", "amber": "#9a5b00", "red": "#a3262a"}
"""In which it is written, on white, whether a map may be believed."""


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

    def believed(self) -> tuple[str, str]:
        """Return whether the map may be believed: a colour, and a line; by default nothing."""
        return "", ""

    def series(self) -> tuple[Mapping[str, Pixels], int]:
        """Return images of which one at a time is shown, by default none; and which at first."""
        return {}, 0

    @abstractmethod
    def coloured_words(self) -> Words:
        """Return the words of a text with their values; none of an image."""

    def _repr_html_(self) -> Markup:
        """Return a piece of HTML without files beside it; only a slider runs a line of script."""
        several, first = self.series()
        images, series = (
            [
                (name, is_wide(pixels), data_uri(pixels, optimize=True))
                for name, pixels in of.items()
            ]
            for of in (self.images(), several)
        )
        text = ""
        if pairs := self.coloured_words():
            words, values = zip(*pairs, strict=True)
            text = highlighted(Shown(words, self.gaps), np.array(values))
        shown: dict[str, Any] = {"images": images, "series": series, "first": first, "text": text}
        shown["believed"] = self.believed()
        return render("card.html.j2", title=self.title(), **shown)

    def show(self, path: str | Path | None = None) -> None:
        """Open a window with the images, or the coloured words; given a path, save them there."""
        if path is not None:
            from matplotlib.figure import Figure

            draw_card(Figure(layout="constrained"), self).savefig(path, dpi=110)
            return
        import matplotlib.pyplot as plt  # chooses how windows open, so only where one is to

        draw_card(plt.figure(layout="constrained"), self)
        plt.show()

    def save(self, path: str | Path) -> None:
        """Write the images, or the coloured words, to a file: .png, .pdf or .svg."""
        self.show(path)


def questions_card(
    text: Shown, questions: Sequence[tuple[str, str, tuple[str, str], Floats]]
) -> Markup:
    """Return a card with one text and a choice of questions, each of which colours its words.

    `questions` are the words to choose them by, a line about each, whether to believe the map as of
    `Drawn.believed`, and the map, (T,). The piece of HTML has no scripts and no files beside it.

    >>> first = ("all", "all: 90 %", ("green", "Believe it."), np.array([0.2, 0.7]))
    >>> asked = [first, ("b", "b: 80 %", ("", ""), np.array([0.7, 0.2]))]
    >>> questions_card(Shown(["a", "b"]), asked).count("<section>")
    2
    """
    shown = [(*told, highlighted(text, mask)) for *told, mask in questions]
    name = f"q{hashlib.sha256(repr(shown).encode()).hexdigest()[:12]}"  # one choice in each card
    return render("questions.html.j2", name=name, questions=shown)


def draw_card(figure: Any, drawn: Drawn) -> Any:
    """Draw images side by side, and coloured words line by line below, on an empty figure."""
    images, words = drawn.images(), drawn.coloured_words()
    figure.suptitle(printable(drawn.title()), fontsize=11, parse_math=False)
    colour, line = drawn.believed()
    if words and images:
        placed = _placed(words, drawn.gaps)
        (width, height), (least, low) = _size_of_images(images), _size_of_words(placed)
        figure.set_size_inches(max(width, least), height + low)
        above, below = figure.subfigures(2, 1, height_ratios=[height, low])
        _put_images(above, images)
        _put_words(below, placed)
    elif words:
        draw_words(figure, words, drawn.gaps)
    elif images:
        figure.set_size_inches(*_size_of_images(images))
        _put_images(figure, images)
    if line:
        _put_line(figure, line, COLOURS.get(colour, "0.4"))
    return figure


def _put_line(figure: Any, line: str, colour: str) -> None:
    """Write a line below all else, broken where the figure ends."""
    width, height = figure.get_size_inches()
    lines = wrap(printable(line), max(int(width / LETTER), 40))
    figure.set_size_inches(width, height + 0.2 * len(lines))
    figure.supxlabel("\n".join(lines), fontsize=9, color=colour, parse_math=False)


def _size_of_images(images: Mapping[str, Pixels]) -> tuple[float, float]:
    """Return width and height of images: wide ones have a row each, the others share the last."""
    rows = sum(map(is_wide, images.values()))
    others = len(images) - rows
    return max(7 * bool(rows), 2.6 * others), 1.9 * rows + 2.7 * bool(others) + 0.4


def _put_images(figure: Any, images: Mapping[str, Pixels]) -> None:
    rows = sum(map(is_wide, images.values()))
    others = len(images) - rows
    heights = [1.9] * rows + [2.7] * bool(others)
    grid = figure.add_gridspec(len(heights), max(others, 1), height_ratios=heights)
    alone, shared = iter(range(rows)), iter(range(others))
    for caption, pixels in images.items():
        place = grid[next(alone), :] if is_wide(pixels) else grid[rows, next(shared)]
        axis = figure.add_subplot(place)
        axis.imshow(pixels)
        axis.set_title(caption, fontsize=9)
        axis.set_axis_off()


def is_wide(pixels: Pixels) -> bool:
    """Return whether an image (H, W, …) is so wide that it needs a line of its own."""
    height, width = pixels.shape[:2]
    return bool(width > 1.9 * height)


def draw_words(figure: Any, words: Words, gaps: Sequence[str] = ()) -> None:
    """Draw coloured words with what stands around them, line by line, on an empty figure."""
    placed = _placed(words, gaps)
    figure.set_size_inches(*_size_of_words(placed))
    _put_words(figure, placed)


def _placed(words: Words, gaps: Sequence[str]) -> list[tuple[int, int, str, float]]:
    """Return column, line, letters and heat of what is to be written."""
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
    return placed


def _size_of_words(placed: Sequence[tuple[int, int, str, float]]) -> tuple[float, float]:
    return COLUMNS * LETTER + 0.5, (_last_line(placed) + 1) * LINE + 0.6


def _last_line(placed: Sequence[tuple[int, int, str, float]]) -> int:
    return max((line for _, line, _, _ in placed), default=0)


def _put_words(figure: Any, placed: Sequence[tuple[int, int, str, float]]) -> None:
    axis = figure.subplots()
    axis.set(xlim=(0, COLUMNS), ylim=(_last_line(placed) + 0.6, -0.6))
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
