"""What a comparison found, as far as it got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from input_iba.commands.compare.methods import Method
from input_iba.commands.compare.options import CompareOptions
from input_iba.commands.compare.table import Column, columns_of, scored, scored_by_all
from input_iba.commands.evaluate.samples import Selection
from input_iba.datasets import SampleDataset
from input_iba.evaluation import EvaluationContext, Metric
from input_iba.results import Entry


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
        """Return why samples have no row of a metric and a method, by id."""
        found = self.entries[names].items()
        return {id_: entry.reason for id_, entry in found if entry.status == status}

    @cached_property
    def columns(self) -> list[Column]:
        """Everything that is summed up."""
        name, every = self.reference.name, self.options.allow_missing
        return [
            column
            for metric in self.metrics
            for column in columns_of(metric, self.methods, self.entries, name, every)
        ]

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
                of_any = set[str]().union(*(scored(self.entries[metric.name, n]) for n in names))
                partly = of_any - scored_by_all(self.entries, metric.name, names)
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
