"""The loop over samples: explain each batch, save it as it is done, record what failed."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from input_iba.config.build import Explainer
from input_iba.config.load import RunConfig
from input_iba.core.fitting import free_memory, out_of_memory
from input_iba.datasets import SampleDataset
from input_iba.datasets.loading import alike, cut, read_batches, stacked
from input_iba.errors import InputIBAError
from input_iba.records import Explanation, Failure, Sample
from input_iba.results import SampleRecord, WorkDir, file_names
from input_iba.results.sample_writer import SampleWriter
from input_iba.run.batching import FittingSizes
from input_iba.run.heartbeat import Meeting
from input_iba.run.launch import Processes
from input_iba.run.logs import LOGGER, to_file_only
from input_iba.run.options import RunOptions
from input_iba.run.progress import RunProgress

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


@dataclass(frozen=True)
class _Raised:
    """What explaining some samples raised: for the record, for the log, and whether for memory."""

    reason: str
    details: str
    memory: bool


@dataclass(frozen=True)
class Job:
    """What is explained, how, and where it goes.

    Attributes:
        config: The checked config.
        options: The command line's options.
        work: The work directory, claimed by this run.
        explainer: The three stages, with statistics.
        dataset: The data set that the samples come from.
        sizes: How much is computed at once.
        processes: Those of the run, which share the batches.
    """

    config: RunConfig
    options: RunOptions
    work: WorkDir
    explainer: Explainer
    dataset: SampleDataset
    sizes: FittingSizes
    processes: Processes = field(default_factory=Processes)


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


def explain_all(job: Job, batches: Sequence[list[int]], finished: frozenset[str]) -> None:
    """Read, explain, save and record the samples of this process's share; wait for the others.

    Args:
        job: What is explained, and where it goes.
        batches: Indices into the data set, for all processes.
        finished: Ids of samples that are computed again only for their batch's sake.
    """
    config, dataset = job.config, job.dataset
    class_folders = None
    if job.options.out_style == "image_folder":
        class_folders = file_names(dataset.class_names or [])
    writer = SampleWriter(
        job.work.root,
        config.feature_mask,
        config.input_mask,
        file_names(dataset.ids),
        dataset.class_names,
        class_folders,
    )
    meeting = Meeting(job.processes)
    progress = RunProgress(
        sum(map(len, batches)),
        shown=job.options.progress_bar if job.processes.is_main else False,
        log_every={
            "FeatureIBA": config.feature_iba.log_every_steps,
            "InputIBA": config.input_iba.log_every_steps,
        },
        expected=_expected_shares(config),
        others=meeting.share,
    )
    with meeting, progress:
        mine = job.processes.share(batches)
        for items in read_batches(dataset, mine, config.loader.num_workers):
            _explain_batch(job, items, writer, progress, finished)
        meeting.wait(progress.refresh)


def _expected_shares(config: RunConfig) -> dict[str, float]:
    if config.baseline is not None:
        return {}
    return EXPECTED_SHARES | PRIOR_SHARES.get(config.prior["type"], {})


def _explain_batch(
    job: Job,
    items: Sequence[Sample | Failure],
    writer: SampleWriter,
    progress: RunProgress,
    finished: frozenset[str],
) -> None:
    """Explain what could be read of a batch; save and record each sample."""
    failures = [item for item in items if isinstance(item, Failure)]
    progress.end_batch(len(failures))
    for samples in alike([item for item in items if isinstance(item, Sample)]):
        by_id = {sample.id: sample for sample in samples}
        for found in _explain(job, samples, progress):
            if isinstance(found, Failure):
                failures.append(found)
            elif found.id not in finished:
                job.work.records.append(writer.save(by_id[found.id], found))
    for failure in failures:
        LOGGER.error("sample %s failed: %s", failure.id, failure.reason)
        if failure.id not in finished:
            record = SampleRecord(failure.id, "failed", failure.reason, seed=job.options.seed)
            job.work.records.append(record)


def _explain(
    job: Job, samples: Sequence[Sample], progress: RunProgress
) -> Iterator[Explanation | Failure]:
    """Explain as many of some samples of one shape together as fit, and so on.

    Where memory runs out, less is computed at once; where anything else is raised, the samples
    are explained one by one, so that only bad ones fail.
    """
    shape = _shape(samples)
    most = job.sizes.samples(shape)
    if len(samples) > most:
        for start in range(0, len(samples), most):
            yield from _explain(job, samples[start : start + most], progress)
        return
    progress.start_batch(len(samples))
    tried = _try(job, samples, progress)
    if isinstance(tried, list):
        progress.end_batch(len(samples))
        yield from tried
    elif tried.memory and (remedy := job.sizes.halve(shape, len(samples))):
        free_memory()
        LOGGER.warning("%s", remedy)
        yield from _explain(job, samples, progress)
    elif len(samples) > 1:
        to_file_only(f"A batch of {len(samples)} failed, now one by one: {tried.details}")
        for sample in samples:
            yield from _explain(job, [sample], progress)
    else:
        progress.end_batch(1)
        to_file_only(f"sample {samples[0].id}: {tried.details}")
        reason = f"{NO_MEMORY}: {tried.reason}" if tried.memory else tried.reason
        yield Failure(samples[0].id, reason)


def _try(
    job: Job, samples: Sequence[Sample], progress: RunProgress
) -> list[Explanation | Failure] | _Raised:
    """Explain samples together, or tell what was raised once the tensors behind it are gone."""
    try:
        return _attribute(job, samples, progress)
    except Exception as error:
        details, reason = _details(error), str(error)
        if not isinstance(error, InputIBAError):
            reason = f"{type(error).__name__}: {reason} (details in {job.work.log_path.name})"
        return _Raised(reason, details, out_of_memory(error))


def _attribute(
    job: Job, samples: Sequence[Sample], progress: RunProgress
) -> list[Explanation | Failure]:
    found = job.explainer.attribute(
        stacked(samples),
        [sample.target for sample in samples],
        ids=[sample.id for sample in samples],
        seed=job.options.seed,
        progress=progress.step,
        internal_batch_size=job.sizes.rows(_shape(samples)),
    )
    return list(found)


def _shape(samples: Sequence[Sample]) -> tuple[int, ...]:
    """Return the shape of one input; of texts that of the longest."""
    return max(tuple(sample.input.shape) for sample in samples)


def _details(error: BaseException) -> str:
    if isinstance(error, InputIBAError):
        return str(error)
    return "".join(traceback.format_exception(error))
