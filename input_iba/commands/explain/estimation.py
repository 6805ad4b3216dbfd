"""What explainers need of the estimation set: feature statistics, or inputs to compare with.

Statistics are kept in the work directory. Several processes share the batches and merge the
statistics of each batch in the order of the batches, as one process does: the result has the same
bits with any number of processes.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from input_iba.attribution.fitted import read_statistics, write_statistics
from input_iba.attribution.methods import MethodAttributor
from input_iba.commands.explain.job import Job
from input_iba.config.build import Explainer
from input_iba.config.load import RunConfig
from input_iba.core.statistics import RunningStatistics
from input_iba.datasets import SampleDataset
from input_iba.datasets.loading import cut, read_batches, stackable, stacked
from input_iba.records import Failure, Sample
from input_iba.results import Identity
from input_iba.run.launch import ALONE, Processes
from input_iba.run.progress import refresh_seconds
from input_iba.run.shell import LOGGER

MIN_TOLD = 100
"""Below this many samples means and deviations are rough; the method's papers use 10,000."""

AT_ONCE = 16
"""Samples per forward pass, which does not change the statistics."""

MAX_REPORTED = 5
"""Bad samples that are named one by one; the others are counted."""


def provide(job: Job, explainer: Explainer) -> int:
    """Give an explainer what it needs of the estimation set; return how much of it is unread.

    Raises:
        AttributionError: As `provide_statistics`.
    """
    dataset, config, processes = job.ready.estimation_set, job.ready.config, job.run.processes
    if not isinstance(explainer, MethodAttributor) or explainer.needs == "statistics":
        cache, shown = job.work.statistics_path, job.options.progress_bar
        return provide_statistics(explainer, dataset, config, job.identity, cache, shown, processes)
    with processes.together():
        return provide_background(explainer, dataset, config.loader.num_workers)


def provide_statistics(
    explainer: Explainer,
    dataset: SampleDataset,
    config: RunConfig,
    identity: Identity,
    cache: Path,
    shown: bool | None = None,
    processes: Processes = ALONE,
) -> int:
    """Load the statistics from the work directory, or estimate and save them; see `provide`.

    Args:
        explainer: Keeps the statistics; its `estimating` computes them batch by batch.
        dataset: The estimation set.
        config: Says which layer, how many samples, and how they are read.
        identity: What the statistics depend on, beside the config.
        cache: The npz in the work directory.
        shown: Whether a bar shows; None for on a terminal only.
        processes: Those of the run, which share the work; all end up with the same statistics.

    Raises:
        AttributionError: The estimation set has fewer than two usable samples, or the layer's
            output on it is not finite.
    """
    key = _key(config, identity)
    found = processes.from_main(lambda: read_statistics(cache, key))
    noun = config.kind.counted
    if found is not None:
        LOGGER.info("Feature statistics of %d %s: from %s", found.count, noun, cache.name)
        explainer.statistics = found
        return 0
    wanted = config.estimation.n_samples
    visible = (shown if shown is not None else sys.stderr.isatty()) and processes.is_main
    with tqdm(
        total=min(wanted, len(dataset)),
        desc="feature statistics",
        unit="sample",
        disable=not visible,
        dynamic_ncols=True,
        mininterval=refresh_seconds(),
    ) as bar:
        order = list(range(len(dataset)))
        if config.loader.shuffle:
            draws = torch.Generator().manual_seed(identity.seed)
            order = torch.randperm(len(dataset), generator=draws).tolist()
        batches = cut(order, max(AT_ONCE, config.loader.batch_size))
        running, bad, read = _estimate(explainer, dataset, batches, config, bar, processes)
    if processes.is_main:
        _warn_of_bad(bad)
    # Merged alike everywhere; the first process's own, where machines round differently.
    explainer.statistics = found = processes.from_main(running.result)
    with processes.together():
        if processes.is_main:
            _warn_if_few(read, wanted)
            write_statistics(cache, found, key)
    LOGGER.info("Feature statistics of %d %s: saved to %s", found.count, noun, cache.name)
    return len(bad)


def _estimate(
    explainer: Explainer,
    dataset: SampleDataset,
    batches: Sequence[list[int]],
    config: RunConfig,
    bar: tqdm[None],
    processes: Processes,
) -> tuple[RunningStatistics, list[Failure], int]:
    """Return the statistics of the first `n_samples` readable samples, the others, and the count.

    In each round every process reads the next batch of its share. Memory holds one batch's
    statistics of each process.
    """
    left = config.estimation.n_samples
    running, bad = RunningStatistics(), list[Failure]()
    mine = iter(read_batches(dataset, processes.share(batches), config.loader.num_workers))
    with ExitStack() as stack:
        for _ in range(0, len(batches), processes.world_size):
            with processes.together():
                items = next(mine, [])
                good = [item for item in items if isinstance(item, Sample)]
                failures = [item for item in items if isinstance(item, Failure)]
                first = [item.input[None] for item in good[:1]] if running.count == 0 else []
            taken: list[int] = []
            examples: list[Tensor] = []
            for count, failed, example in processes.all_gather((len(good), failures, first)):
                # Where one process would have enough and read no further, this counts nothing.
                bad += failed if left > 0 else []
                taken.append(min(count, left))
                left -= taken[-1]
                examples += example
            with processes.together():
                if examples:  # once, and everywhere the one that one process would see first
                    statistics_of = stack.enter_context(explainer.estimating(examples[0]))
                groups = stackable(good[: taken[processes.rank]])
                states = [statistics_of(stacked(group)) for group in groups]
            in_order = chain.from_iterable(processes.all_gather(states))
            with processes.together():
                for state in in_order:
                    running.merge(state)
            bar.update(sum(taken))
            if left <= 0:
                break
    return running, bad, config.estimation.n_samples - left


def provide_background(
    explainer: MethodAttributor, dataset: SampleDataset, num_workers: int = 0
) -> int:
    """Give a method the inputs that it compares with, if any; return how many are unread.

    They are spread evenly over the estimation set, which is sorted by class as a rule.
    """
    if explainer.needs != "background":
        return 0
    count = min(int(getattr(explainer.method, "n_background", 0)), len(dataset))
    [items] = read_batches(
        dataset, [[i * len(dataset) // count for i in range(count)]], num_workers
    )
    good = [item for item in items if isinstance(item, Sample)]
    _warn_of_bad([item for item in items if isinstance(item, Failure)])
    largest = max(stackable(good, by_target=True), key=len, default=[])
    if largest:
        explainer.background = torch.stack([sample.input for sample in largest])
    LOGGER.info("Compared with %d samples of the estimation set", len(largest))
    return len(items) - len(good)


def _warn_of_bad(bad: Sequence[Failure]) -> None:
    for failure in bad[:MAX_REPORTED]:
        LOGGER.warning("Estimation sample %s is left out: %s", failure.id, failure.reason)
    if len(bad) > MAX_REPORTED:
        LOGGER.warning("%d estimation samples were left out in all.", len(bad))


def _warn_if_few(count: int, wanted: int) -> None:
    if count < wanted:
        LOGGER.warning(
            "Only %d of %d estimation samples are there; statistics get better with more.",
            count,
            wanted,
        )
    elif count < MIN_TOLD:
        LOGGER.warning(
            "%d estimation samples are few: means and deviations of the layer will be rough. "
            "Set estimation_cfg.n_samples to %d or more.",
            count,
            MIN_TOLD,
        )


def _key(config: RunConfig, identity: Identity) -> str:
    estimation = (identity.estimation_data, config.estimation.n_samples, config.loader.shuffle)
    layer = (identity.classifier, config.layer, config.feature_iba.input_or_output)
    parts = (*layer, *estimation, identity.seed, identity.precision)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
