"""What a comparison found, as far as it got: means, ranks, paired differences, what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from input_iba.commands.compare.methods import Method
from input_iba.commands.compare.options import CompareOptions
from input_iba.commands.evaluate.samples import Selection
from input_iba.core.files import Readable
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
from input_iba.run.shell import continued_by


@dataclass(frozen=True)
class Difference(Summary):
    """How a method differs, sample by sample, from the one that all are compared with.

    Attributes:
        p: Two-sided p-value of the sign-flip test.
        p_holm: The same, corrected for the number of methods.
    """

    p: float
    p_holm: float


@dataclass(frozen=True)
class Standing(Summary):
    """The scores of one method under one key.

    Attributes:
        rank: 1 for the best mean; equal means share a rank. None where nothing is better.
        seconds: Mean time of its maps over the same samples, or None where unknown.
        difference: From the method that all are compared with; None for that one itself, and where
            the two have no sample in common.
    """

    rank: int | None
    seconds: float | None
    difference: Difference | None


@dataclass(frozen=True)
class Column:
    """One key of one metric: the standing of each method, by name, in their order."""

    metric: str
    key: str
    higher_is_better: bool | None
    standings: Mapping[str, Standing]


@dataclass(frozen=True)
class Compared:
    """A comparison, as far as it got.

    Attributes:
        reference: The method that the others are compared with.
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
    maps: Mapping[str, Mapping[str, Readable]]
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

    def scored(self, metric: str) -> Counter[str]:
        """Return how many methods have a row of a sample, for those of which one has."""
        names = [(metric, method.name) for method in self.methods]
        return Counter(id_ for pair in names for id_ in self.reasons(pair, "scored"))

    @cached_property
    def columns(self) -> list[Column]:
        """Everything that is summed up."""
        return [column for metric in self.metrics for column in self._columns(metric)]

    def scores(self, metric: Metric) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
        """Yield each key that has a direction or none, with the scores by method and sample id.

        Without `allow_missing` only samples that are scored for every method count.
        """
        least = 1 if self.options.allow_missing else len(self.methods)
        counted = {id_ for id_, count in self.scored(metric.name).items() if count >= least}
        for key in metric.higher_is_better:
            yield (
                key,
                {
                    method.name: {
                        id_: float(metric.values(entry.row)[key])
                        for id_, entry in sorted(self.entries[metric.name, method.name].items())
                        if entry.status == "scored" and id_ in counted
                    }
                    for method in self.methods
                },
            )

    def _columns(self, metric: Metric) -> Iterator[Column]:
        """Yield one column per key that has a direction, where every method has rows."""
        for key, values in self.scores(metric):
            if not all(values.values()):
                continue
            higher = metric.higher_is_better[key]
            means = {name: fmean(of_method.values()) for name, of_method in values.items()}
            differences = _differences(values, self.reference.name)
            standings = {
                method.name: Standing(
                    **vars(summarise(list(values[method.name].values()))),
                    rank=_rank(means, method.name, higher),
                    seconds=_seconds(method, values[method.name]),
                    difference=differences.get(method.name),
                )
                for method in self.methods
            }
            yield Column(metric.name, key, higher, standings)

    def left_out(self) -> Iterator[str]:
        """Yield in a sentence each what was left out and why."""
        if self.selection.missing:
            who = "any method" if self.options.allow_missing else "every method"
            yield f"{_samples(len(self.selection.missing))}: no map of {who}"
        for metric in self.metrics:
            skipped: dict[str, str] = {}
            for method in self.methods:
                names = metric.name, method.name
                skipped |= self.reasons(names, "skipped")
                for reason, count in Counter(self.reasons(names, "failed").values()).most_common(3):
                    yield f"{', '.join(names)}: {count} failed: {reason}"
            for reason, count in Counter(skipped.values()).items():
                yield f"{metric.name}: {_samples(count)}: {reason}"
            if not self.options.allow_missing:
                scored = self.scored(metric.name).values()
                if partly := sum(count < len(self.methods) for count in scored):
                    yield f"{metric.name}: {_samples(partly)}: not scored for every method"

    @property
    def state(self) -> str:
        """Return how far the comparison got, in a sentence."""
        count = f"{len(self.selection.ids)} of {self.selection.total} samples compared"
        if self.complete:
            return count
        resume = continued_by(self.options.resume)
        return f"Partial: {count}, but rows failed or are not done yet; continue with {resume}."


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
        name: Difference(**vars(summary), p=p, p_holm=p_holm)
        for (name, (summary, p)), p_holm in zip(found.items(), corrected, strict=True)
    }
