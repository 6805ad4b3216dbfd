"""Which setting is best: candidates get fewer as more samples are seen, within a budget of time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from input_iba.errors import EvaluationError, InputIBAError
from input_iba.evaluation.base import Row
from input_iba.settings import Settings, setting

Changes = Mapping[str, Any]
"""What a candidate sets otherwise than the present setting: values by dotted key of a config."""

Measured = Mapping[str, list[Row]]
"""By name of a candidate the rows of its samples, in their order."""

PRESENT: Changes = {}
"""The candidate that changes nothing."""

SEARCHING = 0.6
"""Share of the time in which candidates are compared; the rest is for samples held out."""

LEVEL = 0.005
"""By how much a candidate may be behind the best and count as level with it."""

FEWEST = 4
"""Samples on which candidates are compared at the least, and as many are held out."""


@dataclass(frozen=True, kw_only=True)
class SearchSettings(Settings):
    """How settings are searched for, and what a good one is."""

    PLACE = "--"

    minutes: float = setting(
        10.0,
        "time for everything; what is begun is finished, so it may take a little more",
        above=0,
    )
    tried_samples: int = setting(
        24, "samples on which candidates are compared, at most", at_least=FEWEST
    )
    held_out: int = setting(
        24, "further samples, on which the chosen setting is measured, at most", at_least=FEWEST
    )
    at_once: int = setting(4, "samples explained at once", at_least=1)
    keep: int = setting(2, "candidates that go on from one round to the next", at_least=1)
    n_estimation: int = setting(
        200, "samples of the estimation set behind the statistics of each layer", at_least=2
    )
    least_probable: float = setting(
        0.5, "samples whose target is less probable are not taken", at_least=0, at_most=1
    )
    place_weight: float = setting(
        0.5,
        "how much the share of the map in the boxes (of texts: agreement with human evidence) "
        "counts beside insertion − deletion, where samples have any",
        at_least=0,
        at_most=1,
    )

    def value(self, row: Row) -> float:
        """Return by what candidates are ranked; higher is better."""
        if "placed" not in row:
            return float(row["difference"])
        weight = self.place_weight
        return float((1 - weight) * row["difference"] + weight * row["placed"])


@dataclass(frozen=True)
class Axis:
    """A key of the config, and the values that are tried for it."""

    key: str
    values: Sequence[Any]


@dataclass(frozen=True)
class Tried:
    """A candidate with its rows, those of the samples that all candidates of its round share."""

    changes: Changes
    rows: Sequence[Row]
    value: float


def named(changes: Changes) -> str:
    """Return one text for equal changes.

    >>> named({"b": 1, "a": 2.0})
    '{"a": 2.0, "b": 1}'
    """
    return json.dumps(changes, sort_keys=True)


def in_words(changes: Changes) -> str:
    """Return what a candidate changes, for a table.

    >>> in_words({"attributor.layer": "layer1", "attribution_cfg.input_iba.beta": 2.0})
    'layer layer1, input_iba.beta 2'
    >>> in_words({"attributor.gan": {"type": "ConstantPrior", "value": 0.5}})
    'gan ConstantPrior 0.5'
    """
    said = []
    for key, value in changes.items():
        name = key.removeprefix("attributor.").removeprefix("attribution_cfg.")
        parts = value.values() if isinstance(value, Mapping) else [value]
        said.append(
            " ".join([name, *(f"{v:g}" if isinstance(v, float) else str(v) for v in parts)])
        )
    return ", ".join(said) or "as it is"


class Halving:
    """A search along several axes, one after the other.

    Each round tries the values of an axis with the candidates that are left, on up to twice as many
    samples as the round before; the best go on. Readings of one fit cost hardly anything, so that
    all of them are tried in every round.

    Args:
        measure: Returns the rows of some samples for every reading of a fit.
        readings: What is tried with every fit; the first changes nothing.
        settings: How long, and how many.
        say: Told what happens, in sentences.
    """

    def __init__(
        self,
        measure: Callable[[Changes, Sequence[int]], Measured],
        readings: Sequence[Changes],
        settings: SearchSettings,
        say: Callable[[str], object],
    ) -> None:
        self._measure, self._readings = measure, readings
        self._settings, self._say = settings, say
        self._end = time.monotonic() + SEARCHING * 60 * settings.minutes
        self.tried: dict[str, Tried] = {}

    def best(self, axes: Sequence[Axis], samples: int) -> Changes:
        """Return the best candidate, compared on the first of so many samples.

        Raises:
            InputIBAError: The present setting fails.
        """
        fits: list[Changes] = [PRESENT]
        ranked: list[Tried] = []
        for i, axis in enumerate(axes):
            fits = [{**fit, **more} for fit in fits for more in _along(axis)]
            count = max(FEWEST, samples >> max(0, len(axes) - 2 - i))
            ranked = self._round(fits, min(count, samples), len(axes) - i)
            best = ranked[0]
            self._say(
                f"{axis.key}: {len(fits)} × {len(self._readings)} candidates on {len(best.rows)} "
                f"samples; best {best.value:.3f}: {in_words(best.changes)}"
            )
            if i + 1 < len(axes) and time.monotonic() > self._end:
                self._say(f"Time is up: {', '.join(a.key for a in axes[i + 1 :])} are not tried.")
                break
            fits = self._kept(ranked)
        return ranked[0].changes

    def _round(self, fits: Sequence[Changes], samples: int, left: int) -> list[Tried]:
        """Return the candidates of a round, the best first; some samples at once, in turn."""
        now = time.monotonic()
        until = now + max(0.0, self._end - now) / left
        rows: dict[str, list[Row]] = {}
        going, step = list(fits), self._settings.at_once
        for start in range(0, samples, step):
            batch = range(start, min(start + step, samples))
            for fit in list(going):
                try:
                    found = self._measure(fit, batch)
                # A layer may turn out not to be a map, and torch may say so in its own way.
                except (InputIBAError, RuntimeError) as error:
                    if fit == PRESENT:
                        raise
                    self._say(f"{in_words(fit)} is left out: {str(error).splitlines()[0]}")
                    going.remove(fit)
                    continue
                for name, more in found.items():
                    rows.setdefault(name, []).extend(more)
            if time.monotonic() > until:
                break
        tried = [self._tried({**fit, **r}, rows) for fit in going for r in self._readings]
        self.tried |= {named(one.changes): one for one in tried}
        return _in_order(tried)

    def _tried(self, changes: Changes, rows: Mapping[str, list[Row]]) -> Tried:
        found = rows[named(changes)]
        if not found:
            raise EvaluationError("No sample could be explained and scored.")
        return Tried(changes, found, sum(map(self._settings.value, found)) / len(found))

    def _kept(self, ranked: Sequence[Tried]) -> list[Changes]:
        """Return the fits of the best candidates."""
        keys = {key for reading in self._readings for key in reading}
        kept: dict[str, Changes] = {}
        for one in ranked:
            fit = {key: value for key, value in one.changes.items() if key not in keys}
            kept.setdefault(named(fit), fit)
        return list(kept.values())[: self._settings.keep]


def _in_order(tried: Sequence[Tried]) -> list[Tried]:
    """Return candidates, the best first: of those that are level the one that changes least."""
    ranked = sorted(tried, key=lambda one: one.value, reverse=True)
    level = [one for one in ranked if one.value >= ranked[0].value - LEVEL]
    first = min(level, key=lambda one: len(one.changes))
    return [first, *(one for one in ranked if one is not first)]


def _along(axis: Axis) -> list[Changes]:
    return [PRESENT, *({axis.key: value} for value in axis.values)]
