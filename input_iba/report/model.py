"""What the report shows, read from work directories by the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from input_iba.drawing.curves import Chart
from input_iba.drawing.rows import Row

MOST_SAMPLES = 2000
"""A browser should open the page of any run; records and results name all samples."""


@dataclass(frozen=True)
class Source:
    """A work directory: what one method found about some samples.

    Attributes:
        name: What tells it apart from the others.
        rows: Its samples, in the order of the page; paths are relative to the page.
        samples: Number of samples that were selected.
        complete: Whether all of them are done.
        facts: Short facts, from label to value: layer, device, seed, …
        manifest: What made the masks, as plain data.
        method: Name of the method where the maps are not those of the three stages.
    """

    name: str
    rows: Sequence[Row]
    samples: int
    complete: bool
    facts: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    method: str = ""


@dataclass(frozen=True)
class Evaluation:
    """The result of one metric on the maps of one folder.

    Attributes:
        metric: Name of the metric.
        source: Name of the work directory that the maps come from, or their folder.
        file: Path of the result, relative to the page.
        complete: Whether every sample is scored or left out by a rule.
        counts: How many samples were selected, scored, skipped, …
        summary: By key: mean, low and high of its interval, n.
        higher_is_better: By key: the direction, or None.
        chart: Its curves, or None where there are no rows.
        left_out: By sample id: why it has no row.
        verdict: What the rows say by the metric's own rule; empty without one.
        settings: What decided the rows, as plain data.
    """

    metric: str
    source: str
    file: str
    complete: bool
    counts: Mapping[str, int]
    summary: Mapping[str, Mapping[str, Any]]
    higher_is_better: Mapping[str, bool | None]
    chart: Chart | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    verdict: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All that the page says.

    Attributes:
        title: Heading.
        sources: The work directories, the first one deciding the order of samples.
        evaluations: What was measured of them.
    """

    title: str
    sources: Sequence[Source]
    evaluations: Sequence[Evaluation] = ()

    @property
    def text(self) -> bool:
        """Whether the samples are texts."""
        return any(row.text.words for source in self.sources for row in source.rows)

    def shown(self) -> dict[str, list[tuple[Source, Row]]]:
        """Return those of the samples that the page has room for."""
        return dict(islice(self.samples().items(), MOST_SAMPLES))

    def samples(self) -> dict[str, list[tuple[Source, Row]]]:
        """Return what each method found about each sample that some method explained."""
        found: dict[str, list[tuple[Source, Row]]] = {}
        for source in self.sources:
            for row in source.rows:
                if not row.failure:
                    found.setdefault(row.id, []).append((source, row))
        return found
