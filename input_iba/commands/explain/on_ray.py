"""The samples of a run, explained by processes of Ray, which save them in its work directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from input_iba.commands.explain.job import Job, check_alike, prepared
from input_iba.commands.explain.keeping import Keeper
from input_iba.commands.explain.loop import SampleLoop, explainer_of, progress_of
from input_iba.config.build import Explainer, MakeExplainer
from input_iba.config.load import RunConfig
from input_iba.datasets.loading import read_batches
from input_iba.models.hub import Trust
from input_iba.results import Identity, SampleRecord, WorkDir
from input_iba.results.manifest import Manifest
from input_iba.results.packing import Packer
from input_iba.run.launch import Processes
from input_iba.run.on_ray import ATTEMPTS, spread
from input_iba.run.options import RunOptions
from input_iba.run.shell import chosen, logging_to

ESTIMATED = ("statistics", "background")
"""What explainers know of the estimation set."""


def explain_on_ray(
    job: Job,
    explainer: Explainer,
    make_explainer: MakeExplainer,
    batches: Sequence[list[int]],
    packer: Packer | None = None,
) -> None:
    """Explain batches of indices by processes of Ray, and record what comes of each.

    The explainer knows what is to be known of the estimation set; `make_explainer` makes one like
    it in every process. Files are saved by them and packed here.

    Raises:
        ProcessError: As of `spread`.
    """
    ids = job.ready.dataset.ids
    work = SampleWork(
        config=job.ready.config,
        options=job.options,
        identity=job.identity,
        manifest=job.manifest,
        size=job.size,
        finished=job.finished.intersection(ids[i] for batch in batches for i in batch),
        batches=batches,
        make_explainer=make_explainer,
        estimated={name: getattr(explainer, name, None) for name in ESTIMATED},
        trust=Trust.now(),
    )
    keeper = Keeper(job, packer)
    with progress_of(job, batches) as progress:
        for done in spread(work, len(batches), job.options):
            batch = batches[done.index]
            for record in _given_up(job, batch) if done.value is None else done.value:
                keeper.add(record)
            keeper.flush()
            progress.end_batch(len(batch))
    keeper.close()


def _given_up(job: Job, batch: Sequence[int]) -> list[SampleRecord]:
    reason = (
        f"{ATTEMPTS} processes ended while they explained the {len(batch)} samples of its batch, "
        "killed for the memory they took, say. Let --samples-per-batch be smaller, or give Ray "
        "more memory"
    )
    ids = job.ready.dataset.ids
    return [SampleRecord(ids[i], "failed", reason, seed=job.run.seed) for i in batch]


@dataclass(frozen=True)
class SampleWork:
    """What a process needs to explain batches: it is sent, and builds classifier and data there."""

    config: RunConfig
    options: RunOptions
    identity: Identity
    manifest: Manifest
    size: int
    finished: frozenset[str]
    batches: Sequence[list[int]]
    make_explainer: MakeExplainer
    estimated: Mapping[str, Any]
    trust: Trust

    def __call__(self) -> Callable[[int], list[SampleRecord]]:
        """Build, and return what explains the batch of a number and saves what it finds.

        Raises:
            InputIBAError: Something is missing on this machine, or is other than where the run
                was started.
        """
        root = self.options.work_dir_for(self.config.path)
        work = WorkDir(root, rank=os.getpid())  # whose number is as good as any
        stack = ExitStack()
        stack.enter_context(logging_to(work.log_path, main=False))  # until the process ends
        self.trust.take()
        run = chosen(self.options, Processes(local_rank=0), seed=self.options.seed)
        ready, ids, identity = prepared(self.config, self.options, run)
        check_alike(self.identity, identity, "It", "the process that started the run")
        job = Job(
            *(run, self.options, work, ready, ids, identity),
            *(self.size, self.manifest, self.finished, ()),
        )
        explainer = explainer_of(job, self.make_explainer)
        for name, value in self.estimated.items():
            if value is not None:
                setattr(explainer, name, value)
        loop = SampleLoop(job, explainer)

        def explain(index: int) -> list[SampleRecord]:
            batch = [self.batches[index]]
            with progress_of(job, batch) as progress:
                [items] = read_batches(ready.dataset, batch)
                return [save() for save in loop.explained(items, progress)]

        return explain
