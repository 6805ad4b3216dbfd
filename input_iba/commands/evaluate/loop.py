"""The loop of an evaluation: read a sample and its map, score it, keep the row."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from input_iba.commands.evaluate.options import ScoringOptions
from input_iba.commands.evaluate.samples import Selection, stamp
from input_iba.config.load import RunConfig
from input_iba.core.files import Readable
from input_iba.core.fitting import free_memory, out_of_memory
from input_iba.core.precision import precision_name
from input_iba.datasets import SampleDataset
from input_iba.datasets.loading import read_batches
from input_iba.errors import EvaluationError, InputIBAError
from input_iba.evaluation import EvaluationContext, Metric, Row, Score, ScoredSample, is_tied
from input_iba.evaluation.asking import MET, explained_class
from input_iba.evaluation.base import written_by
from input_iba.records import Failure, Sample
from input_iba.results import Entry, RowLog
from input_iba.results.map_files import read_map_of
from input_iba.run.launchers import finishing
from input_iba.run.progress import RunProgress
from input_iba.run.shell import LOGGER, to_file_only


@dataclass(frozen=True)
class Scoring:
    """What is scored, and by what.

    Attributes:
        score: Scores a sample.
        dataset: Where the samples come from.
        folder: Where the maps are; None for a metric without maps.
        maps: From sample id to file, loose or in a shard.
        selection: Which samples are scored.
        log: Where rows are kept.
        scores: Target probabilities by sample id, or None to ask the classifier.
        targets: Classes that were explained, by sample id, where they are known; else they are the
            data set's, or the predicted ones.
    """

    config: RunConfig
    context: EvaluationContext
    metric: Metric
    score: Score
    options: ScoringOptions
    dataset: SampleDataset
    folder: Path | None
    maps: Mapping[str, Readable]
    selection: Selection
    log: RowLog
    scores: Mapping[str, float] | None = None
    targets: Mapping[str, int] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """Return everything that decides a row, as plain data."""
        scores_file = self.options.scores_file
        return {
            "metric": self.metric.name,
            "settings": self.metric.settings(),
            "config_hash": self.config.digest(),
            **self.context.fingerprints,
            "maps": None if self.folder is None else str(self.folder),
            "scores_file": None if scores_file is None else str(scores_file),
            "scores_threshold": self.options.scores_threshold,
            "seed": self.options.seed,
            "precision": precision_name(self.context.autocast),
        }

    def begin(self) -> dict[str, Entry]:
        """Start the log of rows, or go on with it; return what of it still holds, by sample id.

        What failed is tried again, and a map that was written again is scored again.

        Raises:
            ResumeError: There are rows already that may not be continued.
        """
        return {entry.id: entry for entry in self.kept()}

    def kept(self) -> Iterator[Entry]:
        """Yield, one after the other, what `begin` returns."""
        self.log.begin(self.identity(), self.options.resume)
        known = set(self.selection.ids)
        first: Entry | None = None
        for entry in self.log.scan():
            if (
                entry.id not in known
                or entry.status == "failed"
                or entry.stamp != stamp(self.maps.get(entry.id))
            ):
                continue
            if entry.status == "scored":
                # Rows that other settings wrote may fit alone, and not beside each other.
                first = first or entry
                if not written_by(self.metric, [first.row, entry.row]):
                    continue
            yield entry


Scored = Callable[["Scoring", Sequence[int]], Iterator[Entry]]
"""Yields what comes of samples, which are given by their indices."""


def scored_here(scoring: Scoring, indices: Sequence[int]) -> Iterator[Entry]:
    """Score samples one after the other; a signal ends them after one whose entry is dealt with."""
    workers = scoring.config.loader.num_workers
    for [item] in read_batches(scoring.dataset, [[index] for index in indices], workers):
        with finishing("the sample in flight", LOGGER.warning) as end_if_asked:
            entry = _entry(scoring, item)
            if entry.status == "failed":
                end_if_asked()
            yield entry


def score_all(
    scoring: Scoring,
    done: Collection[str],
    found: Callable[[Entry], object],
    scored: Scored = scored_here,
) -> None:
    """Score what is not done, log it, and tell what is `found` sample by sample."""
    left = set(scoring.selection.ids) - set(done)
    todo = [index for index, id_ in enumerate(scoring.dataset.ids) if id_ in left]
    LOGGER.info("%d of %d samples to score", len(todo), len(scoring.selection.ids))
    if not todo:
        return
    with RunProgress(len(todo), shown=scoring.options.progress_bar) as progress:
        for entry in scored(scoring, todo):
            if entry.status == "failed":
                LOGGER.error("sample %s failed: %s", entry.id, entry.reason)
            scoring.log.append(entry)
            found(entry)
            progress.end_batch(1)


def _entry(scoring: Scoring, item: Sample | Failure) -> Entry:
    """Score one sample; whatever goes wrong with it stays with it."""
    mark = stamp(scoring.maps.get(item.id))
    if isinstance(item, Failure):
        return Entry(item.id, "failed", reason=item.reason, stamp=mark)
    try:
        found = _fitting_row(scoring, item)
    except InputIBAError as error:
        return Entry(item.id, "failed", reason=str(error), stamp=mark)
    # A classifier of the user's own may raise anything about one sample.
    except Exception as error:
        to_file_only(f"sample {item.id}: {traceback.format_exc()}")
        reason = f"{type(error).__name__}: {error} (details in the log)"
        return Entry(item.id, "failed", reason=reason, stamp=mark)
    if isinstance(found, str):
        return Entry(item.id, "skipped", reason=found, stamp=mark)
    return Entry(item.id, "scored", found, stamp=mark)


def _fitting_row(scoring: Scoring, sample: Sample) -> Row | str:
    """Return what `_row` does, with fewer inputs at once whenever memory runs out."""
    while True:
        try:
            return _row(scoring, sample)
        except Exception as error:
            said = out_of_memory(error) and scoring.context.fitting.halve(tuple(sample.input.shape))
            if not said:
                raise
        LOGGER.warning("%s attribution_cfg.internal_batch_size would save the attempt.", said)
        free_memory()  # only now: the exception held on to the tensors behind it


def _row(scoring: Scoring, sample: Sample) -> Row | str:
    """Return the row of a sample, or why a rule leaves it out."""
    x = sample.input.to(scoring.context.device)
    if scoring.metric.needs_map:
        heat = read_map_of(sample, scoring.maps[sample.id])
    else:
        heat = torch.zeros(sample.map_size, dtype=torch.float64)
    asked = scoring.context.ask(x[None], scoring.targets.get(sample.id, sample.target))
    if asked is None:
        target, probability = _explained(scoring, x, sample)
    else:
        target, probability = MET, asked[1]
    question = None if asked is None else asked[0]
    case = ScoredSample(replace(sample, input=x), target, probability, heat, question)
    if case.probability < scoring.options.scores_threshold:
        return f"target probability below {scoring.options.scores_threshold:g}"
    found = scoring.score(case)
    if isinstance(found, str):
        return found
    row = {"target": case.target, "pred": case.probability, **found}
    if scoring.metric.needs_map and is_tied(case.heat):
        row["tied"] = True
    if not all(map(math.isfinite, scoring.metric.values(row).values())):
        raise EvaluationError(
            "The score is NaN or infinite; most likely the classifier's logits of the changed "
            "input are. Compute with --precision fp32."
        )
    return row


def _explained(scoring: Scoring, x: Tensor, sample: Sample) -> tuple[int, float]:
    """Return the target, the predicted class where none is given, and its probability."""
    known, given = None, scoring.targets.get(sample.id, sample.target)
    if scoring.scores is not None:
        known = scoring.scores.get(sample.id)
        if known is None:
            raise EvaluationError(
                f"'{scoring.options.scores_file}' has no probability of this sample. Run "
                "get_target_scores.py on all samples, or leave --scores-file out."
            )
        if given is not None:
            return given, known
    target, chance = explained_class(scoring.context, x, given)
    return target, chance if known is None else known
