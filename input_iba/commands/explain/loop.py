"""The loop over samples: explain each batch, save it as it is done, record what failed."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from input_iba.commands.explain.estimation import provide
from input_iba.commands.explain.job import Job
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
from input_iba.run.progress import RunProgress
from input_iba.run.shell import LOGGER, to_file_only

EXPECTED_SHARES = {"FeatureIBA": 0.05, "InputIBA": 0.2}
PRIOR_SHARES = {
    "VisionWGAN": {"WGAN": 0.75},
    "NLPWGAN": {"WGAN": 0.75},
    "SlicedWassersteinPrior": {"sliced Wasserstein": 0.5},
}
"""Of a batch's time, for the progress bar until a batch has been measured; by the prior's type."""

SECONDS_KEPT = 1.0
"""For which a record waits at most to be written; those of a batch are written with its end."""

NO_MEMORY = (
    "out of memory with this sample alone and one row at a time through the classifier. Let "
    "data.attribution.pipeline make smaller inputs, or compute on a device with more memory"
)


@dataclass(frozen=True)
class _Raised:
    """What explaining some samples raised: for the record, for the log, and whether for memory."""

    reason: str
    details: str
    memory: bool


def explain_job(job: Job, make_explainer: MakeExplainer) -> int:
    """Explain what is left of a job; return how many samples of the estimation set are unread."""
    run, config = job.run, job.ready.config
    todo = batches_to_do(job.ready.dataset, job.ids, job.size, job.finished)
    with run.processes.together():
        packer = job.packer()
    if not todo:
        if packer is not None:
            packer.close()
        return 0
    LOGGER.info(
        "%d of %d samples to explain, %d at once, on %s in %s, work directory %s",
        sum(map(len, todo)),
        len(job.ids),
        job.size,
        run.where,
        run.precision,
        job.work.root,
    )
    with run.processes.together():
        explainer = make_explainer(config, job.ready.classifier, run.device, run.autocast)
        explainer.class_names = job.ready.dataset.class_names or explainer.class_names
        run.seed_everything()
    unread = provide(job, explainer)
    SampleLoop(job, explainer, packer).explain(todo)
    return unread


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


class SampleLoop:
    """Reads, explains, saves and records the samples of this process's share.

    What is finished is computed again only for its batch's sake, and not saved.
    """

    def __init__(self, job: Job, explainer: Explainer, packer: Packer | None = None) -> None:
        self._job, self._explainer, self._packer = job, explainer, packer
        self._end_if_asked: Callable[[], None] = lambda: None
        self._kept, self._since = list[SampleRecord](), time.monotonic()
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
        heartbeat = Heartbeat(processes)
        expected: dict[str, float] = {}
        if config.baseline is None:
            expected = EXPECTED_SHARES | PRIOR_SHARES.get(config.prior["type"], {})
        progress = RunProgress(
            sum(map(len, batches)),
            shown=self._job.options.progress_bar if processes.is_main else False,
            log_every={
                "FeatureIBA": config.feature_iba.log_every_steps,
                "InputIBA": config.input_iba.log_every_steps,
            },
            expected=expected,
            others=heartbeat.share,
        )
        mine = processes.share(batches)
        with heartbeat, progress:
            for items in read_batches(self._job.ready.dataset, mine, config.loader.num_workers):
                what = f"the {len(items)} samples in flight"
                with finishing(what, LOGGER.warning) as self._end_if_asked:
                    try:
                        self._explain_batch(items, progress)
                    finally:
                        self._record()
            if self._packer is not None:
                self._packer.close()
            heartbeat.wait(progress.refresh)

    def _explain_batch(self, items: Sequence[Sample | Failure], progress: RunProgress) -> None:
        """Explain what could be read of a batch; save and record each sample."""
        failures = [item for item in items if isinstance(item, Failure)]
        progress.end_batch(len(failures))
        for samples in stackable([item for item in items if isinstance(item, Sample)], True):
            by_id = {sample.id: sample for sample in samples}
            for found in self._explain(samples, progress):
                if isinstance(found, Failure):
                    failures.append(found)
                elif found.id not in self._job.finished:
                    self._kept.append(self._writer.save(by_id[found.id], found))
                    if time.monotonic() - self._since > SECONDS_KEPT:
                        self._record()
        for failure in failures:
            LOGGER.error("sample %s failed: %s", failure.id, failure.reason)
            if failure.id not in self._job.finished:
                seed = self._job.run.seed
                self._kept.append(SampleRecord(failure.id, "failed", failure.reason, seed=seed))

    def _record(self) -> None:
        """Write the records of what was explained since, all at once: each costs a disk a wait."""
        kept, self._kept, self._since = self._kept, [], time.monotonic()
        if kept:
            self._job.work.records.append(*kept)
        if self._packer is not None:
            self._packer.add(record for record in kept if record.status == "done")

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
                    stacked(samples),
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
