"""What the reader can set: which samples, in which order, and how maps are laid over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from input_iba.drawing.rows import Row
from input_iba.drawing.tables import html_text
from input_iba.report.markup import plural
from input_iba.report.model import Report, Source

OPACITY = 75
"""Percent at which the hottest pixel covers the photograph, at the beginning."""

WORD_MASKS = {"input_mask": "input mask", "feature_mask": "feature mask", "prior_mask": "prior"}
"""Masks of a text, and what they are called."""


@dataclass(frozen=True)
class SortKey:
    """A number by which samples can be sorted.

    Attributes:
        label: What it is.
        source: Name of the work directory that it is from; empty where there is only one.
        descending: Whether the largest comes first, unless the order is reversed.
        kind: 'probability', 'seconds', or the name of a score.
    """

    label: str
    source: str
    descending: bool
    kind: str

    def value(self, row: Row) -> float | None:
        """Return the number of a sample, or None where there is none."""
        if self.kind == "probability":
            return row.probability
        if self.kind == "seconds":
            return row.total_seconds if row.seconds else None
        return row.scores.get(self.kind)


def sort_keys(report: Report) -> list[SortKey]:
    """Return what samples can be sorted by, beside their order in the run, name and class."""
    several = len(report.sources) > 1
    return [
        key
        for source in report.sources
        for key in _keys_of(report, source, source.name if several else "")
    ]


def _keys_of(report: Report, source: Source, name: str) -> Iterator[SortKey]:
    if any(row.probability is not None for row in source.rows):
        yield SortKey("probability", name, True, "probability")
    if any(row.seconds for row in source.rows):
        yield SortKey("seconds", name, True, "seconds")
    better = {
        f"{found.metric} {key}": higher
        for found in report.evaluations
        for key, higher in found.higher_is_better.items()
    }
    for score in dict.fromkeys(score for row in source.rows for score in row.scores):
        yield SortKey(score, name, better.get(score) is not False, score)


def toolbar(report: Report, keys: list[SortKey]) -> str:
    """Return the controls; without a script they would do nothing, so it uncovers them."""
    samples = report.shown()
    classes = Counter(found[0][1].class_name for found in samples.values())
    options = "".join(
        f'<option value="={html_text(name)}">{html_text(name or "no class")} ({n:,})</option>'
        for name, n in sorted(classes.items())
    )
    what = "name, class or word" if report.text else "name or class"
    sliders = _word_mask(report) if report.text else _sliders()
    every = f'<option value="*">all ({len(samples):,})</option>'
    return f"""<form class="tools" id="tools" aria-label="Samples shown" hidden>
<label>Search <input type="search" id="search" placeholder="{what}" autocomplete="off"></label>
<label>Class <select id="class">{every}{options}</select></label>
<label>Sort by <select id="sort">{_sort_options(keys)}</select></label>
<button type="button" id="reverse" aria-pressed="false">Reverse order</button>
<p role="status" id="count">{plural(len(samples), "sample")}</p>
</form>
<form class="sliders" id="sliders" aria-label="Maps" hidden>{sliders}</form>"""


def _sort_options(keys: list[SortKey]) -> str:
    fixed = (
        '<option value="order">order of the run</option><option value="id">name</option>'
        '<option value="class">class</option>'
    )
    groups: dict[str, list[str]] = {}
    for i, key in enumerate(keys):
        label = key.label + (f", {key.source}" if key.source else "")
        order = "high to low" if key.descending else "low to high"
        groups.setdefault(key.source, []).append(
            f'<option value="{i}" data-descending="{int(key.descending)}" '
            f'data-label="{html_text(label)}">{html_text(key.label)}, {order}</option>'
        )
    return fixed + "".join(
        f'<optgroup label="{html_text(name)}">{"".join(options)}</optgroup>'
        if name
        else "".join(options)
        for name, options in groups.items()
    )


def _sliders() -> str:
    return f"""<label for="opacity">Overlay's opacity</label>
<input type="range" id="opacity" min="0" max="100" value="{OPACITY}">
<output for="opacity" id="opacity-value">{OPACITY} %</output>
<label for="threshold">Hide heat below</label>
<input type="range" id="threshold" min="0" max="100" value="0">
<output for="threshold" id="threshold-value">0 %</output>"""


def _word_mask(report: Report) -> str:
    kinds = {kind for source in report.sources for row in source.rows for kind in row.word_masks}
    options = "".join(
        f'<option value="{kind}">{name}</option>'
        for kind, name in WORD_MASKS.items()
        if kind in kinds
    )
    return f"""<label for="words">Words coloured by</label>
<select id="words">{options}</select><span></span>
<label for="threshold">Hide colour below</label>
<input type="range" id="threshold" min="0" max="100" value="0">
<output for="threshold" id="threshold-value">0 %</output>"""
