"""May a map be believed? What cheap checks say of it: a colour, and the reason in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from input_iba.drawing.words import percent
from input_iba.records.evidence import HARDLY, NOT_MET, held_behind, warning_of

GREEN, AMBER, RED, UNCHECKED = "green", "amber", "red", "not checked"

LEAST = 1e-30
"""How well a target is met at least where logarithms are taken."""


@dataclass(frozen=True)
class Checks:
    """What was tried on one map, after it was made.

    Attributes:
        hidden: How well the target is met with the hottest tenth of the map hidden; NaN where that
            is not known.
        spared: The same with the coldest tenth hidden.
        halves: Correlation of what two halves of the noise say of the input, in [-1, 1]; NaN where
            the noise is the same in every step.
        agreement: Rank correlation of what features and input say, in [-1, 1]; NaN of texts and of
            several inputs, whose features may lie anywhere.
    """

    hidden: float
    spared: float
    halves: float
    agreement: float


@dataclass(frozen=True)
class Belief:
    """Whether a map may be believed.

    Attributes:
        verdict: 'green', 'amber', 'red' or 'not checked'.
        reason: Why, in words.
        marks: From each check to where it lies: below 0 red, from 1 on green.
    """

    verdict: str
    reason: str
    marks: Mapping[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Return the least of the marks; NaN where nothing was checked."""
        return min(self.marks.values(), default=math.nan)

    @property
    def line(self) -> str:
        """Return verdict and reason in one line.

        >>> Belief("green", "with the hottest tenth hidden, 94 % becomes 3 %").line
        'Believe this map? green: with the hottest tenth hidden, 94 % becomes 3 %'
        """
        return f"Believe this map? {self.verdict}: {self.reason}"


@dataclass(frozen=True)
class Bounds:
    """From what to what a check goes: below the first it is red, from the second on green."""

    red: float
    green: float
    told: Callable[[float], str]

    def mark(self, value: float) -> float:
        """Return where a value lies: at 0 for the first bound, at 1 for the second."""
        return (value - self.red) / (self.green - self.red)


BOUNDS: Mapping[str, Bounds] = {
    "met": Bounds(NOT_MET, 0.1, lambda x: f"on the unchanged input only {percent(x)}"),
    "held": Bounds(HARDLY, 0.5, lambda x: f"behind the bottleneck only {percent(x)}"),
    "halves": Bounds(0.2, 0.5, lambda x: f"two halves of the noise hardly agree ({x:.2f})"),
    "agreement": Bounds(-0.3, 0.0, lambda x: f"features and input disagree ({x:.2f})"),
    "drop": Bounds(-1.0, 0.0, lambda _: "hiding the coldest tenth costs more than the hottest"),
}
"""Chosen on other images than those that show what they are worth; see docs/BELIEVE.md."""


def belief(met: float | None, losses: Mapping[str, Any], checks: Checks | None) -> Belief:
    """Return whether a map may be believed.

    Args:
        met: How well the target is met on the unchanged input; None or NaN where it is not known.
        losses: The record's loss histories.
        checks: What was tried; None where nothing was.
    """
    if checks is None:
        return Belief(UNCHECKED, "only maps of the three stages are")
    if met is None or math.isnan(met):
        return Belief(UNCHECKED, "how well a loss of the caller's own is met is not known")
    known = {
        "met": met,
        "held": held_behind(met, losses),
        "halves": checks.halves,
        "agreement": checks.agreement,
        "drop": math.log(max(checks.spared, LEAST) / max(checks.hidden, LEAST)),
    }
    marks = {name: BOUNDS[name].mark(x) for name, x in known.items() if not math.isnan(x)}
    worst_first = sorted(marks, key=marks.__getitem__)
    doubts = [BOUNDS[name].told(known[name]) for name in worst_first if marks[name] < 1]
    red = min(marks.values()) < 0
    if not red and (still := warning_of(met, losses)):
        red, doubts = True, [still, *doubts]
    hidden = f"with the hottest tenth hidden, {percent(met)} becomes {percent(checks.hidden)}"
    verdict = RED if red else AMBER if doubts else GREEN
    return Belief(verdict, "; ".join([*doubts, hidden]), marks)
