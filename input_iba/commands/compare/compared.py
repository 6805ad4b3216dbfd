"""What a comparison found, as far as it got: means, ranks, paired differences, what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from input_iba.commands.compare.methods import Method
from input_iba.commands.compare.options import CompareOptions
from input_iba.commands.evaluate.samples import Selection
from input_iba.datasets import SampleDataset
from input_iba.evaluation import (
    EvaluationContext,
    Metric,
    Summary,
    holm,
    paired_difference,
    sign_flip_p,
    summarise,
)
from input_iba.results import Entry


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


@dataclass(frozen=True)
class Compared:
    """A comparison, as far as it got.

    Attributes:
        options: The command line's options.
        methods: What is compared.
        reference: The method that the others are compared with.
        metrics: What was measured.
        context: Classifier and its config.
        dataset: Where the samples come from.
        selection: The samples, and those without a map.
        maps: From name of the method and sample id to file.
        entries: From names of metric and method to what was found, by sample id.
    """

    options: CompareOptions
    methods: Sequence[Method]
    reference: Method
    metrics: Sequence[Metric]
    context: EvaluationContext
    dataset: SampleDataset
    selection: Selection
    maps: Mapping[str, Mapping[str, Path]]
    entries: Mapping[tuple[str, str], Mapping[str, Entry]]

    @property
    def failed(self) -> int:
        """Number of rows that could not be scored."""
        return sum(len(self.reasons(names, "failed")) for names in self.entries)

    @property
    def complete(self) -> bool:
        """Whether every selected sample is scored or left out by a rule, with every map it has."""
        return self.failed == 0 and all(
            id_ in found
            for (_, name), found in self.entries.items()
            for id_ in self.selection.ids
            if id_ in self.maps[name]
        )

    def reasons(self, names: tuple[str, str], status: str) -> dict[str, str]:
        """Return the samples of a metric and a method with a status, and why they have it."""
        found = self.entries[names].items()
        return {id_: entry.reason for id_, entry in found if entry.status == status}

    def scored(self, metric: str, name: str) -> set[str]:
        """Return the samples of which a method has a row."""
        return set(self.reasons((metric, name), "scored"))

    def scored_by_all(self, metric: str) -> set[str]:
        """Return the samples of which every method has a row."""
        return set.intersection(*(self.scored(metric, method.name) for method in self.methods))

    @cached_property
    def columns(self) -> list[Column]:
        """Everything that is summed up."""
        return [column for metric in self.metrics for column in self._columns(metric)]

    def _columns(self, metric: Metric) -> Iterator[Column]:
        """Yield one column per key that has a direction, where every method has rows."""
        common = None if self.options.allow_missing else self.scored_by_all(metric.name)
        for key, higher in metric.higher_is_better.items():
            values = {
                method.name: {
                    id_: float(metric.values(entry.row)[key])
                    for id_, entry in sorted(self.entries[metric.name, method.name].items())
                    if entry.status == "scored" and (common is None or id_ in common)
                }
                for method in self.methods
            }
            if not all(values.values()):
                continue
            means = {name: fmean(of_method.values()) for name, of_method in values.items()}
            differences = _differences(values, self.reference.name)
            standings = {
                method.name: Standing(
                    summarise(list(values[method.name].values())),
                    _rank(means, method.name, higher),
                    differences.get(method.name),
                    _seconds(method, values[method.name]),
                )
                for method in self.methods
            }
            yield Column(metric.name, key, higher, standings)

    def left_out(self) -> Iterator[str]:
        """Yield in a sentence each what was left out and why."""
        selection, names = self.selection, [method.name for method in self.methods]
        if selection.missing:
            who = "any method" if self.options.allow_missing else "every method"
            yield f"{_samples(len(selection.missing))}: no map of {who}"
        for metric in self.metrics:
            skipped: dict[str, str] = {}
            for name in names:
                skipped |= self.reasons((metric.name, name), "skipped")
                failed = self.reasons((metric.name, name), "failed")
                for reason, count in Counter(failed.values()).most_common(3):
                    yield f"{metric.name}, {name}: {count} failed: {reason}"
            for reason, count in Counter(skipped.values()).items():
                yield f"{metric.name}: {_samples(count)}: {reason}"
            if not self.options.allow_missing:
                of_any = set[str]().union(*(self.scored(metric.name, name) for name in names))
                partly = of_any - self.scored_by_all(metric.name)
                if partly:
                    yield f"{metric.name}: {_samples(len(partly))}: not scored for every method"

    @property
    def state(self) -> str:
        """Return how far the comparison got, in a sentence."""
        count = f"{len(self.selection.ids)} of {self.selection.total} samples compared"
        if self.complete:
            return count
        return f"Partial: {count}, but rows failed or are not done yet; continue with --resume."


def _samples(count: int) -> str:
    return f"{count} sample{'' if count == 1 else 's'}"


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
