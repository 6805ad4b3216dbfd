"""The HTML page of a benchmark: sections of sentences, tables, and maps side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from input_iba.drawing import Grid
from input_iba.drawing.pages import render
from input_iba.report.comparison_page import Card


@dataclass(frozen=True)
class Section:
    """A part of the page: a title, sentences in a list, tables, and the maps of some samples."""

    title: str
    lines: Sequence[str] = ()
    grids: Sequence[Grid] = ()
    cards: Sequence[Card] = ()


@dataclass(frozen=True)
class BenchmarkPage:
    """All that the page says.

    Attributes:
        facts: Short facts, from label to value.
        state: Whether the benchmark is complete, in a sentence.
    """

    title: str
    facts: Mapping[str, str]
    state: str
    complete: bool
    sections: Sequence[Section]


def benchmark_page(page: BenchmarkPage) -> str:
    """Return one page without scripts that needs no other file."""
    return render("benchmark.html.j2", "input_iba.report", **vars(page))
