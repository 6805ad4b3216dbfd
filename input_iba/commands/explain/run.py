"""A run from config to report: build, check, estimate, explain, close the work directory."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from input_iba.attribution.methods import BaselineAttributor
from input_iba.commands.explain.background import provide_background
from input_iba.commands.explain.estimation import provide_statistics
from input_iba.commands.explain.loop import Job, batches_to_do, explain_all
from input_iba.config.build import (
    Explainer,
    MakeExplainer,
    build_attributor,
)
from input_iba.config.load import RunConfig
from input_iba.errors import InputIBAError
from input_iba.report import write_report
from input_iba.results import OWN_METHOD, Manifest, WorkDir
from input_iba.run.batching import (
    FittingSizes,
    choose_samples_per_batch,
    draws_per_sample,
    first_shape,
    fitting_samples,
)
from input_iba.run.interruption import terminable
from input_iba.run.launch import Processes
from input_iba.run.logs import LOGGER, logging_to, to_file_only
from input_iba.run.options import RunOptions
from input_iba.run.prepared_run import Subject, check_alike, set_up
from input_iba.run.seeds import seed_everything


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        done: Samples whose files are all in the work directory.
        failed: Samples that could not be explained.
        unread: Samples of the estimation set that could not be read in this run.
        table: The samples, laid out for a terminal.
        report: The HTML page.
    """

    done: int
    failed: int
    unread: int
    table: str
    report: Path


def run_attribution(
    config: RunConfig,
    options: RunOptions,
    make_explainer: MakeExplainer = build_attributor,
    processes: Processes = Processes(),  # noqa: B008  frozen
) -> RunResult:
    """Explain every selected sample of a config's data set.

    Args:
        config: What to explain, and how.
        options: Where to put it, on which device, with which seed.
        make_explainer: Builds the three stages, or the other method that the config asks for.
        processes: Those of the run, which share the samples and return the same result.

    Raises:
        InputIBAError: Nothing could be started; the message says why. A single sample that
            cannot be explained raises nothing: it is recorded as failed.
    """
    work = _open(options.work_dir_for(config.path), options.resume, processes)
    with logging_to(work.log_path, main=processes.is_main), terminable():
        try:
            return _run(config, options, work, make_explainer, processes)
        except InputIBAError as error:
            if processes.is_main or not error.said:
                to_file_only(f"Ended by an error: {error}")
            raise
        except KeyboardInterrupt:
            LOGGER.warning("Interrupted. What is done is kept: continue with --resume.")
            raise
        except Exception:
            to_file_only(f"Ended by an unexpected error:\n{traceback.format_exc()}")
            raise


def _open(root: Path, resume: bool, processes: Processes) -> WorkDir:
    """Let the first process open the work directory, and the others join it."""
    with processes.together():
        if processes.is_main:
            return WorkDir(root, resume=resume)
    return WorkDir(root, rank=processes.rank)


def _run(
    config: RunConfig,
    options: RunOptions,
    work: WorkDir,
    make_explainer: MakeExplainer,
    processes: Processes,
) -> RunResult:
    text = config.text()
    with processes.together():
        work.check_config(config.digest(), text)
        subject = set_up(config, options, processes)
    identities = processes.all_gather(subject.identity)
    with processes.together():
        check_alike(identities)
    # One number for all, whatever memory each has: what is computed together decides rounding.
    size = processes.from_main(
        lambda: _samples_per_batch(config, options, work, subject, processes.world_size)
    )
    planned = _manifest(config, options, subject, size, processes.world_size)
    manifest = processes.from_main(lambda: work.claim(planned, text))
    ids = subject.ids
    try:
        unread = _explain(config, options, work, subject, size, make_explainer, processes)
    except BaseException:
        if processes.is_main:
            _end(work, manifest, ids, alone=processes.world_size == 1)
        raise
    return processes.from_main(lambda: replace(_end(work, manifest, ids), unread=unread))


def _explain(
    config: RunConfig,
    options: RunOptions,
    work: WorkDir,
    subject: Subject,
    size: int,
    make_explainer: MakeExplainer,
    processes: Processes,
) -> int:
    """Explain what is left; return how many samples of the estimation set are unread."""
    finished = processes.from_main(lambda: frozenset(work.finished()))
    dataset, identity = subject.dataset, subject.identity
    todo = batches_to_do(dataset, subject.ids, size, finished)
    if not todo:
        return 0
    LOGGER.info(
        "%d of %d samples to explain, %d at once, on %s in %s, work directory %s",
        *(sum(map(len, todo)), len(subject.ids), size),
        *(_device(subject.device, processes.world_size), identity.precision, work.root),
    )
    with processes.together():
        explainer = make_explainer(
            subject.config, subject.classifier, subject.device, subject.autocast
        )
        seed_everything(options.seed)
    unread = _provide(config, options, work, subject, explainer, processes)
    sizes = FittingSizes(size, config, subject.device)
    explain_all(Job(config, options, work, explainer, dataset, sizes, processes), todo, finished)
    return unread


def _provide(
    config: RunConfig,
    options: RunOptions,
    work: WorkDir,
    subject: Subject,
    explainer: Explainer,
    processes: Processes,
) -> int:
    """Give the explainer what it needs of the estimation set; return how much is unread."""
    if isinstance(explainer, BaselineAttributor) and explainer.needs != "statistics":
        with processes.together():
            return provide_background(explainer, subject.estimation_set, config.loader.num_workers)
    return provide_statistics(
        *(explainer, subject.estimation_set, config, subject.identity, work.statistics_path),
        shown=options.progress_bar,
        processes=processes,
    )


def _end(work: WorkDir, manifest: Manifest, ids: Sequence[str], alone: bool = True) -> RunResult:
    """Close the work directory and report; `alone` when no other process may write any more."""
    manifest = work.close(manifest, ids, tidy=alone)
    table, report = write_report(work, ids)
    return RunResult(manifest.done, manifest.failed, 0, table, report)


def _samples_per_batch(
    config: RunConfig, options: RunOptions, work: WorkDir, subject: Subject, world_size: int
) -> int:
    """Return how many samples are explained at once: as before, as asked for, or as configured."""

    def fitting() -> int:
        position = {id_: index for index, id_ in enumerate(subject.dataset.ids)}
        shape = first_shape(subject.dataset, [position[id_] for id_ in subject.ids])
        if shape is None:
            return 1
        most = -(-len(subject.ids) // world_size)  # so that every process gets a batch
        return fitting_samples(shape, draws_per_sample(config), subject.device, most)

    return choose_samples_per_batch(
        options.samples_per_batch,
        config.loader.batch_size,
        Manifest.read(work.manifest_path).samples_per_batch if work.resumed else None,
        fitting,
    )


def _manifest(
    config: RunConfig, options: RunOptions, subject: Subject, size: int, world_size: int
) -> Manifest:
    name = str(subject.device)
    if subject.device.type == "cuda":
        name += f" ({torch.cuda.get_device_name(subject.device)})"
    return Manifest(
        identity=subject.identity,
        config_file=str(config.path),
        layer=config.layer if config.baseline is None else config.baseline.layer_name,
        method=OWN_METHOD if config.baseline is None else config.baseline.name,
        device=_device(name, world_size),
        options=options.as_plain(),
        samples=len(subject.ids),
        samples_per_batch=size,
    )


def _device(name: object, world_size: int) -> str:
    return str(name) if world_size == 1 else f"{name}, {world_size} processes"
