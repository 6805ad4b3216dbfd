"""What is told of explained texts: the classes, the strongest words, and a picture of the text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from input_iba.commands.explain.given import class_lines, tell_samples
from input_iba.config.load import RunConfig
from input_iba.drawing.card import draw_words
from input_iba.drawing.words import as_it_stands, word_heats
from input_iba.results import SampleRecord, read_text_mask, written_whole

MAX_WORDS = 20
"""Words that are printed, at most, the strongest first."""

BAR = 20
"""Letters of the longest bar."""


def tell_texts(_config: RunConfig, root: Path) -> str:
    """Draw every text in a work directory with its words coloured; return what is printed of them.

    Args:
        _config: Of the run, as `texts_config` makes it.
        root: The work directory.
    """
    return tell_samples(root, partial(_told, root))


def _told(root: Path, record: SampleRecord) -> Iterator[str]:
    _, mask, shown = read_text_mask(root / record.files["input_mask"])
    yield as_it_stands("".join(shown.parts))
    yield from class_lines(record)
    values = mask.tolist()
    order = sorted(range(len(values)), key=lambda place: -values[place])
    width = max(len(shown.words[place]) for place in order[:MAX_WORDS])
    heats = word_heats(mask)
    for place in order[:MAX_WORDS]:
        bar = "█" * round(BAR * float(heats[place]))
        word = as_it_stands(shown.words[place]).ljust(width)
        yield f"  {word}  {values[place]:.3f}  {bar}".rstrip()
    if len(order) > MAX_WORDS:
        yield f"  … and {len(order) - MAX_WORDS} more"
    path = root / f"{Path(record.files['input_mask']).stem}_overlay.png"
    figure = Figure(layout="constrained")
    draw_words(figure, list(zip(shown.words, values, strict=True)), shown.gaps)
    with written_whole(path) as aside:
        figure.savefig(aside, format="png", dpi=110)
    yield f"  Overlay: {path}"
    yield f"  Coloured words: {root / record.files['highlights']}"
