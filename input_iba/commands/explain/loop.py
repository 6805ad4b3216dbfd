"""The loop over samples: explain each batch, save it as it is done, record what failed."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from input_iba.commands.explain.job import Job
from input_iba.commands.explain.keeping import Keeper
from input_iba.config.build import Explainer, MakeExplainer
from input_iba.core.fitting import FittingRows, FittingSizes, free_memory, out_of_memory
from input_iba.datasets import SampleDataset
from input_iba.datasets.loading import cut, read_batches, stackable, stacked
from input_iba.errors import InputIBAError
from input_iba.records import Explanation, Failure, Sample
from input_iba.results import SampleRecord, file_names, in_folders
from input_iba.results.packing import Packer
from input_iba.results.sample_writer import SampleWriter
from input_iba.run.heartbeat import Heartbeat
from input_iba.run.launchers import finishing
from input_iba.run.overlap import ahead, beside, overlaps
from input_iba.run.progress import RunProgress
from input_iba.run.shell import LOGGER, to_file_only

EXPECTED_SHARES = {"FeatureIBA": 0.05, "InputIBA": 0.2}
PRIOR_SHARES = {
    "VisionWGAN": {"WGAN": 0.75},
    "NLPWGAN": {"WGAN": 0.75},
    "SlicedWassersteinPrior": {"sliced Wasserstein": 0.5},
}
"""Of a batch's time, for the progress bar until a batch has been measured; by the prior's type."""

NO_MEMORY = (
    "out of memory with this sample alone and one row at a time through the classifier. Let "
    "data.attribution.pipeline make smaller inputs, or compute on a device with more memory"
)


Save = Callable[[], SampleRecord]
"""Writes the files of a sample, and returns its record."""


@dataclass(frozen=True)
class _Raised:
    """What explaining some samples raised: for the record, for the log, and whether for memory."""

    reason: str
    details: str
    memory: bool


def explainer_of(job: Job, make_explainer: MakeExplainer) -> Explainer:
    """Build what explains the samples of a job, and seed what may be drawn when it is used."""
    run, ready = job.run, job.ready
    explainer = make_explainer(ready.config, ready.classifier, run.device, run.autocast)
    explainer.class_names = ready.dataset.class_names or explainer.class_names
    run.seed_everything()
    return explainer


def batches_to_do(
    dataset: SampleDataset, ids: Sequence[str], size: int, finished: frozenset[str]
) -> list[list[int]]:
    """Cut the selected samples into batches and leave out those that are finished.

    Samples of like length make a batch, so that little padding is computed, and long ones come
    first, so that what does not fit into memory shows at once.

    A batch of which only some samples are finished stays whole: rounding depends on what is
    computed together, and a continued run is to give the masks of an uninterrupted one.
    """
    position = {id_: index for index, id_ in enumerate(dataset.ids)}
    chosen = sorted((position[id_] for id_ in ids), key=dataset.length, reverse=True)
    return [
        batch for batch in cut(chosen, size) if not all(dataset.ids[i] in finished for i in batch)
    ]


def progress_of(
    job: Job, batches: Sequence[list[int]], others: Callable[[float], float] = lambda _: 0.0
) -> RunProgress:
    """Return the bar of batches, which `others` work on too; see `RunProgress`."""
    config = job.ready.config
    expected: dict[str, float] = {}
    if config.baseline is None:
        expected = EXPECTED_SHARES | PRIOR_SHARES.get(config.prior["type"], {})
    return RunProgress(
        sum(map(len, batches)),
        shown=job.options.progress_bar if job.run.processes.is_main else False,
        log_every={
            "FeatureIBA": config.feature_iba.log_every_steps,
            "InputIBA": config.input_iba.log_every_steps,
        },
        expected=expected,
        others=others,
    )


class SampleLoop:
    """Reads, explains, saves and records the samples of this process's share.

    What is finished is computed again only for its batch's sake, and not saved.
    """

    def __init__(self, job: Job, explainer: Explainer, packer: Packer | None = None) -> None:
        self._job, self._explainer, self._keeper = job, explainer, Keeper(job, packer)
        self._end_if_asked: Callable[[], None] = lambda: None
        config, dataset = job.ready.config, job.ready.dataset
        rows = FittingRows(config.internal_batch_size, job.run.device, config.max_rows_per_sample)
        self._sizes = FittingSizes(job.size, rows)
        by_class = job.options.out_style == "image_folder"
        self._writer = SampleWriter(
            job.work.root,
            config.feature_mask,
            config.input_mask,
            in_folders(file_names(dataset.ids), job.ids),
            dataset.class_names,
            file_names(dataset.class_names or []) if by_class else None,
        )

    def explain(self, batches: Sequence[list[int]]) -> None:
        """Explain this process's share of batches of indices, and wait for the others."""
        config, processes = self._job.ready.config, self._job.run.processes
        heartbeat, overlap = Heartbeat(processes), overlaps(self._job.run.device)
        mine = processes.share(batches)
        read = read_batches(self._job.ready.dataset, mine, config.loader.num_workers)
        with heartbeat, progress_of(self._job, batches, heartbeat.share) as progress:
            with beside(self._job.size, overlap) as do:
                for items in ahead(read, overlap):
                    what = f"the {len(items)} samples in flight"
                    with finishing(what, LOGGER.warning) as self._end_if_asked:
                        try:
                            for save in self.explained(items, progress):
                                do(partial(self._keep, save))
                        finally:
                            do(self._keeper.flush)
            self._keeper.close()
            heartbeat.wait(progress.refresh)

    def _keep(self, save: Save) -> None:
        self._keeper.add(save())

    def explained(self, items: Sequence[Sample | Failure], progress: RunProgress) -> Iterator[Save]:
        """Explain what could be read of a batch; yield what saves and records each sample.

        What is finished is left out.
        """
        failures = [item for item in items if isinstance(item, Failure)]
        progress.end_batch(len(failures))
        for samples in stackable([item for item in items if isinstance(item, Sample)], True):
            by_id = {sample.id: sample for sample in samples}
            for found in self._explain(samples, progress):
                if isinstance(found, Failure):
                    failures.append(found)
                elif found.id not in self._job.finished:
                    yield partial(self._writer.save, by_id[found.id], found)
        for failure in failures:
            seed = self._job.run.seed
            yield partial(SampleRecord, failure.id, "failed", failure.reason, seed=seed)

    def _explain(
        self, samples: Sequence[Sample], progress: RunProgress
    ) -> Iterator[Explanation | Failure]:
        """Explain as many of some samples of one shape together as fit, and so on.

        Where memory runs out, less is computed at once; where anything else is raised, the samples
        are explained one by one, so that only bad ones fail.
        """
        shape = max(tuple(sample.input.shape) for sample in samples)  # the longest of texts
        most = self._sizes.samples(shape)
        if len(samples) > most:
            for start in range(0, len(samples), most):
                yield from self._explain(samples[start : start + most], progress)
            return
        progress.start_batch(len(samples))
        tried = self._try(samples, self._sizes.rows(shape), progress)
        if isinstance(tried, list):
            progress.end_batch(len(samples))
            yield from tried
        elif tried.memory and (remedy := self._sizes.halve(shape, len(samples))):
            free_memory()
            LOGGER.warning("%s", remedy)
            yield from self._explain(samples, progress)
        elif len(samples) > 1:
            to_file_only(f"A batch of {len(samples)} failed, now one by one: {tried.details}")
            for sample in samples:
                yield from self._explain([sample], progress)
        else:
            progress.end_batch(1)
            to_file_only(f"sample {samples[0].id}: {tried.details}")
            reason = f"{NO_MEMORY}: {tried.reason}" if tried.memory else tried.reason
            yield Failure(samples[0].id, reason)

    def _try(
        self, samples: Sequence[Sample], rows: int | None, progress: RunProgress
    ) -> list[Explanation | Failure] | _Raised:
        """Explain samples together, or tell what was raised once the tensors behind it are gone."""
        try:
            return list(
                self._explainer.attribute(
                    stacked(samples, pinned=self._job.run.device.type == "cuda"),
                    [self._job.ready.config.asked(sample.target) for sample in samples],
                    ids=[sample.id for sample in samples],
                    seed=self._job.run.seed,
                    progress=progress.step,
                    internal_batch_size=rows,
                )
            )
        except Exception as error:
            self._end_if_asked()
            if isinstance(error, InputIBAError):
                return _Raised(str(error), str(error), out_of_memory(error))
            log = self._job.work.log_path.name
            reason = f"{type(error).__name__}: {error} (details in {log})"
            return _Raised(reason, traceback.format_exc(), out_of_memory(error))
