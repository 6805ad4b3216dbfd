"""What the rows of a comparison say: means, ranks, and paired differences from one method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from input_iba.commands.compare.methods import Method
from input_iba.evaluation import (
    Metric,
    Summary,
    holm,
    paired_difference,
    sign_flip_p,
    summarise,
)
from input_iba.results import Entry

Entries = Mapping[tuple[str, str], Mapping[str, Entry]]
"""From names of metric and method to what was found, by sample id."""


@dataclass(frozen=True)
class Difference:
    """How a method differs from the one that all are compared with.

    Attributes:
        summary: Of the differences, sample by sample.
        p: Two-sided p-value of the sign-flip test.
        p_holm: The same, corrected for the number of methods.
    """

    summary: Summary
    p: float
    p_holm: float

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as plain data."""
        return {**self.summary.to_dict(), "p": self.p, "p_holm": self.p_holm}


@dataclass(frozen=True)
class Standing:
    """One method under one key.

    Attributes:
        summary: Of its scores.
        rank: 1 for the best mean; equal means share a rank. None where nothing is better.
        difference: From the method that all are compared with; None for that one itself, and where
            the two have no sample in common.
        seconds: Mean time of its maps over the same samples, or None where unknown.
    """

    summary: Summary
    rank: int | None
    difference: Difference | None
    seconds: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the standing as plain data."""
        found = {**self.summary.to_dict(), "rank": self.rank, "seconds": self.seconds}
        return found | ({"difference": self.difference.to_dict()} if self.difference else {})


@dataclass(frozen=True)
class Column:
    """One key of one metric: the standing of each method, by name, in their order."""

    metric: str
    key: str
    higher_is_better: bool | None
    standings: Mapping[str, Standing]

    def to_dict(self) -> dict[str, Any]:
        """Return the column as plain data."""
        methods = {name: standing.to_dict() for name, standing in self.standings.items()}
        return {"higher_is_better": self.higher_is_better, "methods": methods}


def scored_by_all(entries: Entries, metric: str, methods: Sequence[str]) -> set[str]:
    """Return the samples of which every method has a row."""
    return set.intersection(*(scored(entries[metric, name]) for name in methods))


def scored(entries: Mapping[str, Entry]) -> set[str]:
    """Return the samples that have a row."""
    return {id_ for id_, entry in entries.items() if entry.status == "scored"}


def columns_of(
    metric: Metric, methods: Sequence[Method], entries: Entries, against: str, every: bool
) -> Iterator[Column]:
    """Sum up one metric.

    Args:
        metric: The metric.
        methods: What is compared, at least one.
        entries: What was found.
        against: Name of the method that the others are compared with.
        every: Whether each method counts on every sample that it has a row of, instead of those of
            which all methods have one.

    Yields:
        One column per key that has a direction, where there are rows.
    """
    names = [method.name for method in methods]
    common = scored_by_all(entries, metric.name, names)
    for key, higher in metric.higher_is_better.items():
        values = {
            name: {
                id_: float(metric.values(entry.row)[key])
                for id_, entry in sorted(entries[metric.name, name].items())
                if entry.status == "scored" and (every or id_ in common)
            }
            for name in names
        }
        if not all(values.values()):
            continue
        means = {name: fmean(of_method.values()) for name, of_method in values.items()}
        differences = _differences(values, against)
        standings = {
            method.name: Standing(
                summarise(list(values[method.name].values())),
                _rank(means, method.name, higher),
                differences.get(method.name),
                _seconds(method, values[method.name]),
            )
            for method in methods
        }
        yield Column(metric.name, key, higher, standings)


def _rank(means: Mapping[str, float], name: str, higher: bool | None) -> int | None:
    if higher is None:
        return None
    sign = 1 if higher else -1
    return 1 + sum(sign * mean > sign * means[name] for mean in means.values())


def _seconds(method: Method, ids: Mapping[str, float]) -> float | None:
    found = [seconds for id_ in ids if (seconds := method.seconds(id_)) is not None]
    return fmean(found) if found else None


def _differences(values: Mapping[str, Mapping[str, float]], against: str) -> dict[str, Difference]:
    """Compare every other method with one, on the samples that both have."""
    reference, found = values[against], {}
    for name, own in values.items():
        ids = [id_ for id_ in own if id_ in reference]
        if name != against and ids:
            pair = [own[id_] for id_ in ids], [reference[id_] for id_ in ids]
            found[name] = (
                paired_difference(*pair),
                sign_flip_p([a - b for a, b in zip(*pair, strict=True)]),
            )
    corrected = holm([p for _, p in found.values()])
    return {
        name: Difference(summary, p, p_holm)
        for (name, (summary, p)), p_holm in zip(found.items(), corrected, strict=True)
    }
