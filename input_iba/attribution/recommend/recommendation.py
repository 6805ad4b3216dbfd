"""Search for the setting that suits a model, and measure it on samples that took no part."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from input_iba.attribution.presets import Preset
from input_iba.attribution.recommend.candidates import Present
from input_iba.attribution.recommend.trials import Trials
from input_iba.core.tokens import Behind
from input_iba.drawing import Grid, as_plain
from input_iba.drawing.tables import UNKNOWN
from input_iba.errors import ConfigError, EvaluationError
from input_iba.evaluation import Row
from input_iba.evaluation.halving import (
    FEWEST,
    LEVEL,
    PRESENT,
    Changes,
    Halving,
    SearchSettings,
    Tried,
    in_words,
    named,
)
from input_iba.evaluation.summary import paired_difference, sign_flip_p, summarise
from input_iba.modality import Modality

SHOWN = 10
"""Candidates that the table names."""

COLUMNS = {
    "insertion": "insertion ↑",
    "deletion": "deletion ↓",
    "difference": "difference ↑",
    "placed": "well placed ↑",
    "agreement": "two seeds ↑",
    "seconds": "seconds",
}
"""What tables show of rows; only what rows have."""

NOTE = (
    "Well placed: share of the map in the boxes; of texts how well it agrees with people's "
    "evidence. Two seeds: rank correlation of two maps. Seconds compare within this table only."
)


@dataclass(frozen=True)
class Recommendation:
    """The setting that a search ends with.

    Attributes:
        changes: What it sets otherwise than the present one, by dotted key of a config; empty where
            nothing better was found.
        layer: Its layer.
        preset: Its stages and reading, as `InputIBA(model, layer, preset=…)` takes them.
        tried: Candidates of the search, the best first.
        searched: What the search ended with, which counts only if it is better on samples held out.
        now: Rows of the present setting on samples that took no part in the search.
        then: Rows of what the search ended with, on the same.
    """

    changes: Changes
    layer: str
    preset: Preset
    tried: Sequence[Tried]
    searched: Changes
    now: Sequence[Row]
    then: Sequence[Row]

    def grids(self) -> list[Grid]:
        """Return the tables: what was tried, and what it is worth on samples held out."""
        measured = [("as it is", self.now)]
        if self.searched != PRESENT:
            measured.append((in_words(self.searched), self.then))
        tried = [(in_words(one.changes), one.rows) for one in self.tried[:SHOWN]]
        return [
            _grid("Tried", tried, f"The best {len(tried)} of {len(self.tried)}. {NOTE}"),
            _grid("On samples held out", measured, self.verdict()),
        ]

    def verdict(self) -> str:
        """Say what was found in a sentence."""
        if self.searched == PRESENT:
            return "Nothing that was tried is better than the present setting."
        now, then = ([float(row["difference"]) for row in rows] for rows in (self.now, self.then))
        more = paired_difference(then, now)
        p = sign_flip_p([b - a for a, b in zip(now, then, strict=True)])
        kept = "recommended" if self.changes else "not better, so that the present setting stays"
        between = "" if more.low is None else f" ({more.low:+.3f} to {more.high:+.3f}, p = {p:.2g})"
        return (
            f"Insertion − deletion of the setting found minus that of the present one: "
            f"{more.mean:+.3f}{between}, n = {more.n}; {kept}."
        )

    def __str__(self) -> str:
        return "\n\n".join(as_plain(grid) for grid in self.grids())


def _grid(title: str, lines: Sequence[tuple[str, Sequence[Row]]], note: str) -> Grid:
    keys = [key for key in COLUMNS if any(key in row for _, rows in lines for row in rows)]
    head = ["setting", "n", *(COLUMNS[key] for key in keys)]
    rows = [[name, str(len(rows)), *(_mean(rows, key) for key in keys)] for name, rows in lines]
    return Grid(title, head, rows, note=note)


def _mean(rows: Sequence[Row], key: str) -> str:
    """Return a mean, with the half of its 95 % interval of what decides."""
    values = [float(row[key]) for row in rows if key in row]
    if not values:
        return UNKNOWN
    found = summarise(values)
    margin = ""
    if key == "difference" and found.low is not None and found.high is not None:
        margin = f" ± {(found.high - found.low) / 2:.3f}"
    return f"{found.mean:.3f}{margin}"


def layers_to_try(
    modality: Modality, model: nn.Module, present: str, inputs: tuple[object, Behind]
) -> list[str]:
    """Return layers of maps of several sizes, or of several depths where all have one size.

    They are those that an explainer would read; none where the model has only the present one.
    """
    try:
        taps = modality.taps(model, *inputs, lambda: None, None)  # type: ignore[arg-type]
    except ConfigError:
        return []
    return [tap.layer for tap in taps if tap.layer != present]


def search(
    trials: Trials,
    present: Present,
    layers: Sequence[str],
    settings: SearchSettings,
    say: Callable[[str], object],
) -> Recommendation:
    """Find a setting on the first samples of some trials, and measure it on the others.

    Raises:
        EvaluationError: There are too few samples.
        InputIBAError: The present setting cannot explain them.
    """
    count = len(trials.cases)
    if count < 2 * FEWEST:
        raise EvaluationError(
            f"A search needs {2 * FEWEST} samples whose target has a probability of "
            f"{settings.least_probable:g} or more; there are {count}. Give more samples, or allow "
            "less probable ones (least_probable, --least-probable)."
        )
    end = time.monotonic() + 60 * settings.minutes
    first = min(settings.tried_samples, count // 2)
    readings = present.readings()
    halving = Halving(
        lambda fit, places: trials.measure(fit, readings, places), readings, settings, say
    )
    found = halving.best(present.axes(layers), first)
    now, then = _held_out(trials, found, range(first, min(count, first + settings.held_out)), end)
    before, after = (sum(map(settings.value, rows)) / len(rows) for rows in (now, then))
    better = after > before + LEVEL
    changes = found if better else PRESENT
    chosen = present.changed(changes)
    tried = sorted(halving.tried.values(), key=lambda one: (-len(one.rows), -one.value))
    return Recommendation(changes, chosen.layer, chosen.preset, tried, found, now, then)


def _held_out(
    trials: Trials, found: Changes, places: range, end: float
) -> tuple[list[Row], list[Row]]:
    """Return the rows of the present and the found setting, of as many samples as time allows."""
    both = [PRESENT] if found == PRESENT else [PRESENT, found]
    rows: list[list[Row]] = [[] for _ in both]
    for start in range(places.start, places.stop, FEWEST):
        batch = range(start, min(start + FEWEST, places.stop))
        for kept, changes in zip(rows, both, strict=True):
            kept.extend(trials.measure(changes, [PRESENT], batch, again=True)[named(changes)])
        if time.monotonic() > end:
            break
    return rows[0], rows[-1]
