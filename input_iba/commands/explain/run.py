"""A run from config to report: build, check, estimate, explain, close the work directory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from input_iba.attribution.methods import MethodAttributor
from input_iba.commands.explain.estimation import provide_background, provide_statistics
from input_iba.commands.explain.loop import Job, SampleLoop, batches_to_do
from input_iba.config.build import Explainer, MakeExplainer, build_attributor
from input_iba.config.load import RunConfig
from input_iba.core.hooks import find_layer
from input_iba.datasets.ids import draw_ids, select_ids
from input_iba.drawing import has_display
from input_iba.errors import ConfigError
from input_iba.report import write_report
from input_iba.results import OWN_METHOD, Identity, Manifest, WorkDir, differences
from input_iba.run.batching import (
    FittingSizes,
    choose_samples_per_batch,
    fitting_batch,
)
from input_iba.run.device import seed_everything
from input_iba.run.launch import ALONE, Processes
from input_iba.run.logs import LOGGER
from input_iba.run.options import RunOptions
from input_iba.run.prepared_run import prepare
from input_iba.run.shell import Run, opened


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
    processes: Processes = ALONE,
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
    warnings = config.warnings
    if (config.feature_mask.show or config.input_mask.show) and not has_display():
        warnings += ("'show' has no effect: there is no display here.",)
    with opened(work.log_path, options, processes, seed=options.seed, warnings=warnings) as run:
        job = _begin(config, options, work, run)
        # One number for all, whatever memory each has: what is computed together decides rounding.
        size = processes.from_main(lambda: _samples_per_batch(job))
        planned = _manifest(job, size)
        manifest = processes.from_main(lambda: work.claim(planned, config.text()))
        try:
            unread = _explain(job, size, make_explainer)
        except BaseException:
            if processes.is_main:
                _end(job, manifest, alone=processes.world_size == 1)
            raise
        return processes.from_main(lambda: replace(_end(job, manifest), unread=unread))


def _open(root: Path, resume: bool, processes: Processes) -> WorkDir:
    """Open the work directory in the first process, and join it in the others."""
    with processes.together():
        if processes.is_main:
            return WorkDir(root, resume=resume)
    return WorkDir(root, rank=processes.rank)


def _begin(config: RunConfig, options: RunOptions, work: WorkDir, run: Run) -> Job:
    """Build and check all that a run needs before it writes anything."""

    def check(classifier: nn.Module) -> None:
        if config.baseline is None:
            find_layer(classifier, config.layer)
        else:
            config.baseline.check(classifier)

    with run.processes.together():
        work.check_config(config.digest(), config.text())
        ready = prepare(config, run, check)
        ids = list(ready.dataset.ids)
        if options.subset_file is not None:
            ids = select_ids(ids, options.subset_file)
        if options.num_samples:
            ids = draw_ids(ids, options.num_samples, options.seed)
        identity = Identity(
            config=config.digest(),
            **ready.fingerprints(),
            estimation_data=ready.estimation_set.fingerprint(),
            samples=hashlib.sha256("\n".join(ids).encode("utf-8", "surrogatepass")).hexdigest(),
            seed=options.seed,
            precision=run.precision,
            out_style=options.out_style,
        )
    identities = run.processes.all_gather(identity)
    with run.processes.together():
        _check_alike(identities)
    return Job(run, options, work, ready, ids, identity)


def _check_alike(identities: Sequence[Identity]) -> None:
    """Refuse processes that would make unlike masks, on machines with other files say.

    Raises:
        ConfigError: Says which process differs from the first, and in what.
    """
    for rank, identity in enumerate(identities):
        different = differences(identities[0].plain(), identity.plain())
        if different:
            raise ConfigError(
                f"Process {rank} would not make the masks that process 0 makes ('was' is process "
                f"0, 'now' process {rank}):\n  " + "\n  ".join(different) + "\nLet all machines "
                "see the same files, and give what 'auto' decides, e.g. --precision fp32."
            )


def _explain(job: Job, size: int, make_explainer: MakeExplainer) -> int:
    """Explain what is left; return how many samples of the estimation set are unread."""
    run, ready, work, processes = job.run, job.ready, job.work, job.run.processes
    finished = processes.from_main(lambda: frozenset(work.finished()))
    todo = batches_to_do(ready.dataset, job.ids, size, finished)
    if not todo:
        return 0
    LOGGER.info(
        "%d of %d samples to explain, %d at once, on %s in %s, work directory %s",
        *(sum(map(len, todo)), len(job.ids), size, run.where, run.precision, work.root),
    )
    with processes.together():
        explainer = make_explainer(ready.config, ready.classifier, run.device, run.autocast)
        seed_everything(run.seed)
    unread = _provide(job, explainer)
    sizes = FittingSizes(size, ready.config, run.device)
    SampleLoop(job, explainer, sizes, finished).explain(todo)
    return unread


def _provide(job: Job, explainer: Explainer) -> int:
    """Give the explainer what it needs of the estimation set; return how much is unread."""
    dataset, config, processes = job.ready.estimation_set, job.ready.config, job.run.processes
    if isinstance(explainer, MethodAttributor) and explainer.needs != "statistics":
        with processes.together():
            return provide_background(explainer, dataset, config.loader.num_workers)
    return provide_statistics(
        *(explainer, dataset, config, job.identity, job.work.statistics_path),
        shown=job.options.progress_bar,
        processes=processes,
    )


def _end(job: Job, manifest: Manifest, alone: bool = True) -> RunResult:
    """Close the work directory and report; `alone` when no other process may write any more."""
    manifest = job.work.close(manifest, job.ids, tidy=alone)
    table, report = write_report(job.work, job.ids)
    return RunResult(manifest.done, manifest.failed, 0, table, report)


def _samples_per_batch(job: Job) -> int:
    """Return how many samples are explained at once: as before, as asked for, or as configured."""
    work, ready = job.work, job.ready
    return choose_samples_per_batch(
        job.options.samples_per_batch,
        ready.config.loader.batch_size,
        Manifest.read(work.manifest_path).samples_per_batch if work.resumed else None,
        lambda: fitting_batch(ready.config, ready.dataset, job.ids, job.run),
    )


def _manifest(job: Job, size: int) -> Manifest:
    config = job.ready.config
    return Manifest(
        identity=job.identity,
        config_file=str(config.path),
        layer=config.layer if config.baseline is None else config.baseline.layer_name,
        method=OWN_METHOD if config.baseline is None else config.baseline.name,
        device=job.run.where,
        options=job.options.as_plain(),
        samples=len(job.ids),
        samples_per_batch=size,
    )
