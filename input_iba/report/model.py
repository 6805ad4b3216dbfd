"""What the report shows, read from work directories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from input_iba.core.files import Readable
from input_iba.drawing import Chart, Shown

MAX_SAMPLES = 2000
"""A browser should open the page of any run; records and results name all samples."""


@dataclass(frozen=True)
class Row:
    """One sample as the table and the page show it.

    Attributes:
        class_name: Name of the class that was explained, or what else was asked.
        warning: Why the map is no evidence for it; empty where it is.
        believed: Whether the map may be believed: a colour and a line; both empty where not known.
        probability: Probability of that class, or None when there is none.
        predicted_class_name: Name of the class that the classifier prefers.
        classes: Name and probability of the most probable classes, best first, and of the one
            that was explained.
        seconds: Wall time per stage.
        map_bits: Sum of the map, the bits in all; None of other methods.
        feature_peak: Largest value of the feature mask in bits per pixel, or None.
        files: From kind to a path relative to the page. Kinds that are shown: `photograph`,
            `overlay`, `heat`, `feature_mask_png`, `feature_mask_picture`, `prior_mask_picture`,
            `input_mask_png`, `input_mask_picture`, `map_png`, `map`, `input_mask`, `feature_mask`,
            `prior_mask`; of a text `highlights`.
        packed: Those of these files that are in a shard, by kind; a page holds their images.
        failure: Why the sample failed; empty when it is done.
        text: Of a text, its T words, and what stands around them.
        word_masks: Of a text, from kind of mask to T values, the map first.
        losses: Loss history per stage and part, as `stage/part`.
        scores: From metric and key to what an evaluation found.
    """

    id: str
    class_name: str = ""
    probability: float | None = None
    predicted_class_name: str = ""
    predicted_probability: float | None = None
    classes: Sequence[tuple[str, float]] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    warning: str = ""
    believed: tuple[str, str] = ("", "")
    map_bits: float | None = None
    feature_peak: float | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    packed: Mapping[str, Readable] = field(default_factory=dict)
    failure: str = ""
    text: Shown = field(default=Shown(()))
    word_masks: Mapping[str, Sequence[float]] = field(default_factory=dict)
    losses: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def total_seconds(self) -> float:
        """Wall time of all stages together."""
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Source:
    """A work directory: what one method found about some samples.

    Attributes:
        rows: Its samples, in the order of the page; paths are relative to the page.
        samples: Number of samples that were selected.
        facts: Short facts, from label to value: layer, device, seed, …
        method: Name of the method where the maps are not those of the three stages.
    """

    name: str
    rows: Sequence[Row]
    samples: int
    complete: bool
    facts: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    method: str = ""

    @property
    def done(self) -> int:
        """Number of samples that were explained."""
        return sum(not row.failure for row in self.rows)


@dataclass(frozen=True)
class Evaluation:
    """The result of one metric on the maps of one folder.

    Attributes:
        source: Name of the work directory that the maps come from, or their folder.
        file: Path of the result, relative to the page.
        counts: How many samples were selected, scored, skipped, …
        summary: By key: mean, low and high of its interval, n.
        left_out: By sample id: why it has no row.
        verdict: What the rows say by the metric's own rule; empty without one.
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
    """All that the page says: work directories, of which the first decides the order of samples."""

    title: str
    sources: Sequence[Source]
    evaluations: Sequence[Evaluation] = ()

    @property
    def text(self) -> bool:
        """Whether some of the samples are texts."""
        return any(row.text.words for source in self.sources for row in source.rows)

    @property
    def units(self) -> list[str]:
        """What has a value in the maps: 'pixel', 'word', or both where some samples are texts."""
        rows = [row for source in self.sources for row in source.rows if not row.failure]
        words = {bool(row.text.words) for row in rows} or {False}
        return [unit for unit, texts in (("pixel", False), ("word", True)) if texts in words]

    def shown(self) -> dict[str, list[tuple[Source, Row]]]:
        """Return those of the samples that the page has room for."""
        return dict(islice(self.samples().items(), MAX_SAMPLES))

    def samples(self) -> dict[str, list[tuple[Source, Row]]]:
        """Return what each method found about each sample that some method explained."""
        found: dict[str, list[tuple[Source, Row]]] = {}
        for source in self.sources:
            for row in source.rows:
                if not row.failure:
                    found.setdefault(row.id, []).append((source, row))
        return found
