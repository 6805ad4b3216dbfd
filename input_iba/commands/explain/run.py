"""A run from config to report: build, check, estimate, explain, close the work directory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from input_iba.commands.explain.estimation import provide
from input_iba.commands.explain.job import Job, begin
from input_iba.commands.explain.loop import SampleLoop, batches_to_do, explainer_of
from input_iba.commands.explain.on_ray import explain_on_ray
from input_iba.config.build import MakeExplainer, build_attributor
from input_iba.config.load import RunConfig
from input_iba.drawing import has_display
from input_iba.report import write_report
from input_iba.results import Identity, WorkDir
from input_iba.run.launch import ALONE, Processes
from input_iba.run.options import RunOptions
from input_iba.run.shell import LOGGER, continued_by, opened


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        done: Samples whose files are all in the work directory.
        failed: Samples that could not be explained.
        unread: Samples of the estimation set that could not be read in this run.
        table: The samples, laid out for a terminal.
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
    like: Identity | None = None,
) -> RunResult:
    """Explain every selected sample of a config's data set.

    Several processes share the samples and return the same result. `like` is what the run is to
    have in common with one that is repeated.

    Raises:
        InputIBAError: Nothing could be started; the message says why. A single sample that
            cannot be explained raises nothing: it is recorded as failed.
    """
    root = options.work_dir_for(config.path)
    with processes.together():
        if processes.is_main:
            work = WorkDir(root, resume=options.resume)
    if not processes.is_main:  # joined once the first process has opened it
        work = WorkDir(root, rank=processes.rank)
    warnings = config.warnings
    if (config.feature_mask.show or config.input_mask.show) and not has_display():
        warnings += ("'show' has no effect: there is no display here.",)
    resume = continued_by(options.resume)
    with opened(
        work.log_path, options, processes, seed=options.seed, warnings=warnings, resume=resume
    ) as run:
        job = begin(config, options, work, run, like)
        try:
            unread = explain_job(job, make_explainer)
        except BaseException:
            if processes.is_main:
                _end(job, alone=processes.world_size == 1)
            raise
        return processes.from_main(lambda: replace(_end(job), unread=unread))


def explain_job(job: Job, make_explainer: MakeExplainer) -> int:
    """Explain what is left of a job; return how many samples of the estimation set are unread."""
    run = job.run
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
        explainer = explainer_of(job, make_explainer)
    unread = provide(job, explainer)
    if job.options.launcher == "ray":
        explain_on_ray(job, explainer, make_explainer, todo, packer)
    else:
        SampleLoop(job, explainer, packer).explain(todo)
    return unread


def _end(job: Job, alone: bool = True) -> RunResult:
    """Close the work directory and report; `alone` when no other process may write any more."""
    manifest = job.work.close(job.manifest, job.ids, tidy=alone)
    table, report = write_report(job.work, job.ids)
    return RunResult(manifest.done, manifest.failed, 0, table, report)
