"""Explain samples by settings that are tried, and score the maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from input_iba.attribution.attributor import Attributor
from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.reading import Reading
from input_iba.attribution.recommend.candidates import Present
from input_iba.attribution.task import AttributionTask
from input_iba.core.correlation import spearman
from input_iba.core.optimise import FittedMask
from input_iba.datasets.loading import stackable, stacked
from input_iba.evaluation import EvaluationContext, Metric, Row, ScoredSample
from input_iba.evaluation.evidence import EvidenceMetric
from input_iba.evaluation.halving import Changes, Measured, SearchSettings, named
from input_iba.evaluation.insertion_deletion import (
    InsertionDeletionMetric,
    PatchInsertionDeletionMetric,
)
from input_iba.evaluation.localisation import LocalisationMetric
from input_iba.evaluation.word_insertion import NLPInsertionDeletionMetric
from input_iba.records import FeatureStatistics

STEPS = 16
"""Steps in which the units of a sample appear, and disappear."""

TILES = 8
"""Tiles along the shorter side of an image, which appear and disappear as one."""

SCORES = {"insertion": "ins_auc", "deletion": "del_auc", "difference": "difference"}
"""What rows hold of the metrics' scores, averaged over the metrics."""

WORST: Row = {"difference": -1.0, "insertion": 0.0, "deletion": 1.0, "seconds": 0.0}
"""Row of a sample that could not be explained or scored."""

PLACED: Mapping[type[Metric], str] = {
    LocalisationMetric: "mass",
    EvidenceMetric: "average_precision",
}
"""Metrics that know where the heat should lie, and their key."""

Heats = Mapping[str, list[Tensor]]
"""Of each sample, by its id, the map of every reading, (H, W), or (W,) of a text."""


@dataclass(frozen=True)
class SeveralReadings(Reading):
    """Reads the same results in several ways, and keeps the maps of all for whoever asks."""

    each: Sequence[Reading] = ()
    kept: dict[str, list[Tensor]] = field(default_factory=dict)

    def read(self, task: AttributionTask, feature: FittedFeatures, fitted: FittedMask) -> Tensor:
        """Return the first map of every sample; see `Reading`."""
        maps = [one.read(task, feature, fitted) for one in self.each]
        on_cpu = [one.cpu() for one in maps]
        for i, id_ in enumerate(task.ids):
            self.kept[id_] = [task.tokens.map_of(one, i) for one in on_cpu]
        return maps[0]


class Trials:
    """What is known of candidates on some samples, and what measures the rest.

    Args:
        context: Classifier and estimation set, and how maps are scored.
        kind: What the samples are called, as metrics have it.
        cases: The samples, with what is asked of them.
        present: The setting that candidates change.
        build: Makes the three stages of a setting.
        settings: How many samples at once, and behind the statistics.
        known: Rows that are known already, by `key`.
        keep: Told every row that is new, with its key.
    """

    def __init__(
        self,
        context: EvaluationContext,
        kind: str,
        cases: Sequence[ScoredSample],
        present: Present,
        build: Callable[[Present], Attributor],
        settings: SearchSettings,
        known: Mapping[str, Row] | None = None,
        keep: Callable[[str, Row], object] = lambda *_: None,
    ) -> None:
        self.context, self.cases, self.present = context, cases, present
        self._build, self._settings = build, settings
        self._known, self._keep = dict(known or {}), keep
        self._statistics: dict[str, FeatureStatistics] = {}
        self._kind = kind
        self._placed = [(m, key) for m, key in PLACED.items() if m.kind == kind]

    def measure(
        self, fit: Changes, readings: Sequence[Changes], places: Sequence[int], again: bool = False
    ) -> Measured:
        """Return the rows of the samples at some places, by the name of every candidate.

        With `again`, another seed explains them, too, and rows hold how far both maps agree.
        """
        names = [named({**fit, **reading}) for reading in readings]
        cases = [self.cases[i] for i in places]
        keys = {(n, case.sample.id): key(n, case, again) for n in names for case in cases}
        todo = [c for c in cases if any(keys[n, c.sample.id] not in self._known for n in names)]
        if todo:
            heats, seconds = self.maps(fit, readings, todo)
            others = self.maps(fit, readings, todo, 1)[0] if again else {}
            for case in todo:
                for i, name in enumerate(names):
                    row = self._row(case, heats, i, seconds, others if again else None)
                    self._known[keys[name, case.sample.id]] = row
                    self._keep(keys[name, case.sample.id], row)
        return {n: [self._known[keys[n, case.sample.id]] for case in cases] for n in names}

    def maps(
        self,
        fit: Changes,
        readings: Sequence[Changes],
        cases: Sequence[ScoredSample],
        seed: int = 0,
    ) -> tuple[Heats, float]:
        """Explain samples by a fit; return the maps of all readings, and the seconds per sample.

        `seed` is added to that of the context. Samples that fail have no maps.
        """
        attributor = self._attributor(fit)
        each = [self.present.changed({**fit, **r}).preset.reading for r in readings]
        attributor.reading = reader = SeveralReadings(each=each)
        asked = {case.sample.id: case.question for case in cases}
        seconds = 0.0
        for samples in stackable([case.sample for case in cases]):
            found = attributor.attribute(
                stacked(samples),
                [asked[sample.id] for sample in samples],
                ids=[sample.id for sample in samples],
                seed=self.context.seed + seed,
            )
            seconds += sum(sum(getattr(one, "seconds", {}).values()) for one in found)
        by_id = {case.sample.id: case.sample for case in cases}
        heats = {
            id_: [by_id[id_].per_unit(one).double() for one in maps]
            for id_, maps in reader.kept.items()
        }
        return heats, seconds / len(cases)

    def _attributor(self, fit: Changes) -> Attributor:
        setting = self.present.changed(fit)
        attributor = self._build(setting)
        if setting.layer not in self._statistics:
            batches, count = self.context.estimation_inputs(self._settings.n_estimation)
            self._statistics[setting.layer] = attributor.estimate(batches, count)
        attributor.statistics = self._statistics[setting.layer]
        return attributor

    def _row(
        self, case: ScoredSample, heats: Heats, reading: int, seconds: float, others: Heats | None
    ) -> Row:
        maps = heats.get(case.sample.id)
        if maps is None or not bool(maps[reading].isfinite().all()):
            return {**WORST, **({} if others is None else {"agreement": 0.0})}
        row = {**self._scores(replace(case, heat=maps[reading])), "seconds": seconds}
        if others is not None:
            again = others.get(case.sample.id)
            row["agreement"] = _agreement(maps[reading], again[reading]) if again else 0.0
        return row

    def _scores(self, case: ScoredSample) -> dict[str, Any]:
        """Return how faithful a map is, and how well placed where that is known."""
        if case.asked is not None:  # what the classifier's single logit is about from now on
            self.context.ask(case.sample.input[None], case.sample.target)
        rows: list[Any] = [
            metric.scorer(self.context)(case) for metric in faithful(self._kind, case.heat)
        ]
        row = {name: sum(one[key] for one in rows) / len(rows) for name, key in SCORES.items()}
        for metric, name in self._placed:
            placed = metric().scorer(self.context)(case)
            if not isinstance(placed, str):
                row["placed"] = placed[name]
        return row


def faithful(kind: str, heat: Tensor) -> list[Metric]:
    """Return what says how faithful a map is: of images the order of pixels and that of tiles.

    Single pixels favour maps of stripes, tiles maps without detail.
    """
    step = max(1, -(-heat.numel() // STEPS))
    made: list[Metric] = [
        InsertionDeletionMetric(pixel_batch_size=step),
        NLPInsertionDeletionMetric(pixel_batch_size=step),
    ]
    if heat.ndim == 2:
        side = max(1, min(heat.shape) // TILES)
        made.append(PatchInsertionDeletionMetric(pixel_batch_size=step, patch_size=side))
    return [metric for metric in made if metric.kind == kind]


def _agreement(first: Tensor, second: Tensor) -> float:
    """Return the rank correlation of two maps; 0 where one is the same everywhere."""
    return spearman(first.flatten()[None], second.flatten()[None]).item()


def key(name: str, case: ScoredSample, again: bool) -> str:
    """Return under what the row of a candidate and a sample is kept.

    >>> import torch
    >>> from input_iba.records import Sample
    >>> key("{}", ScoredSample(Sample("cat", torch.ones(1)), 0, 1.0, torch.ones(1)), False)
    'once cat {}'
    """
    return f"{'twice' if again else 'once'} {case.sample.id} {name}"
