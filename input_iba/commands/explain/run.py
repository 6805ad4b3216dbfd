"""A run from config to report: build, check, estimate, explain, close the work directory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from input_iba.commands.explain.estimation import provide
from input_iba.commands.explain.job import Job, Plan, begin, planned
from input_iba.commands.explain.loop import SampleLoop, batches_to_do
from input_iba.config.build import MakeExplainer, build_attributor
from input_iba.config.load import RunConfig
from input_iba.core.fitting import FittingRows, FittingSizes
from input_iba.drawing import has_display
from input_iba.report import write_report
from input_iba.results import Manifest, WorkDir
from input_iba.run.launch import ALONE, Processes
from input_iba.run.options import RunOptions
from input_iba.run.shell import LOGGER, opened


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
        job = begin(config, options, work, run)
        plan = processes.from_main(lambda: planned(job))
        try:
            unread = _explain(job, plan, make_explainer)
        except BaseException:
            if processes.is_main:
                _end(job, plan.manifest, alone=processes.world_size == 1)
            raise
        return processes.from_main(lambda: replace(_end(job, plan.manifest), unread=unread))


def _open(root: Path, resume: bool, processes: Processes) -> WorkDir:
    """Open the work directory in the first process, and join it in the others."""
    with processes.together():
        if processes.is_main:
            return WorkDir(root, resume=resume)
    return WorkDir(root, rank=processes.rank)


def _explain(job: Job, plan: Plan, make_explainer: MakeExplainer) -> int:
    """Explain what is left; return how many samples of the estimation set are unread."""
    run, config = job.run, job.ready.config
    todo = batches_to_do(job.ready.dataset, job.ids, plan.size, plan.finished)
    if not todo:
        return 0
    LOGGER.info(
        "%d of %d samples to explain, %d at once, on %s in %s, work directory %s",
        *(sum(map(len, todo)), len(job.ids), plan.size, run.where, run.precision, job.work.root),
    )
    with run.processes.together():
        explainer = make_explainer(config, job.ready.classifier, run.device, run.autocast)
        run.seed_everything()
    unread = provide(job, explainer)
    rows = FittingRows(config.internal_batch_size, run.device, config.max_rows_per_sample)
    SampleLoop(job, explainer, FittingSizes(plan.size, rows), plan.finished).explain(todo)
    return unread


def _end(job: Job, manifest: Manifest, alone: bool = True) -> RunResult:
    """Close the work directory and report; `alone` when no other process may write any more."""
    manifest = job.work.close(manifest, job.ids, tidy=alone)
    table, report = write_report(job.work, job.ids)
    return RunResult(manifest.done, manifest.failed, 0, table, report)
