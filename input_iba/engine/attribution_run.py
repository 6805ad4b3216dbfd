"""A run from config to report: build, check, estimate, explain, close the work directory."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from input_iba.core.hooks import find_layer
from input_iba.datasets import SampleDataset
from input_iba.datasets.selection import select_ids
from input_iba.engine.batching import (
    FittingSizes,
    choose_samples_per_batch,
    draws_per_sample,
    first_shape,
    fitting_samples,
)
from input_iba.engine.build import (
    MakeExplainer,
    build_attributor,
    build_classifier,
    build_datasets,
    weights_digest,
)
from input_iba.engine.config import RunConfig
from input_iba.engine.device import choose_device
from input_iba.engine.estimation import provide_statistics
from input_iba.engine.explain import Job, batches_to_do, explain_all
from input_iba.engine.interruption import terminable
from input_iba.engine.logs import LOGGER, logging_to, to_file_only
from input_iba.engine.memory import keep_freed_memory
from input_iba.engine.options import RunOptions
from input_iba.engine.precision import choose_precision, precision_name
from input_iba.engine.report import write_report
from input_iba.engine.seeds import seed_everything
from input_iba.errors import InputIBAError
from input_iba.results import Identity, Manifest, WorkDir
from input_iba.visualization import has_display


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        done: Samples whose files are all in the work directory.
        failed: Samples that could not be explained.
        unread: Samples of the estimation set that could not be read in this run.
        table: The samples, laid out for a terminal.
        overview: The HTML page.
    """

    done: int
    failed: int
    unread: int
    table: str
    overview: Path


def run_attribution(
    config: RunConfig, options: RunOptions, make_explainer: MakeExplainer = build_attributor
) -> RunResult:
    """Explain every selected sample of a config's data set.

    Args:
        config: What to explain, and how.
        options: Where to put it, on which device, with which seed.
        make_explainer: Builds the three stages.

    Raises:
        InputIBAError: Nothing could be started; the message says why. A single sample that
            cannot be explained raises nothing: it is recorded as failed.
    """
    work = WorkDir(options.work_dir_for(config.path), resume=options.resume)
    with logging_to(work.log_path), terminable():
        try:
            return _run(config, options, work, make_explainer)
        except InputIBAError as error:
            to_file_only(f"Ended by an error: {error}")
            raise
        except KeyboardInterrupt:
            LOGGER.warning("Interrupted. What is done is kept: continue with --resume.")
            raise
        except Exception:
            to_file_only(f"Ended by an unexpected error:\n{traceback.format_exc()}")
            raise


def _run(
    config: RunConfig, options: RunOptions, work: WorkDir, make_explainer: MakeExplainer
) -> RunResult:
    for warning in config.warnings:
        LOGGER.warning("%s", warning)
    text = config.text()
    work.check_config(config.digest(), text)
    device, warnings = choose_device(options.device, options.gpu_id)
    for warning in warnings:
        LOGGER.warning("%s", warning)
    autocast = choose_precision(options.precision, device)
    if (config.feature_mask.show or config.input_mask.show) and not has_display():
        LOGGER.warning("'show' has no effect: there is no display here.")
    keep_freed_memory()
    seed_everything(options.seed)
    classifier = build_classifier(config)
    find_layer(classifier, config.layer)
    estimation_set, dataset = build_datasets(config)
    ids = list(dataset.ids)
    if options.subset_file is not None:
        ids = select_ids(ids, options.subset_file)
    identity = Identity(
        config=config.digest(),
        classifier=weights_digest(classifier),
        data=dataset.fingerprint(),
        estimation_data=estimation_set.fingerprint(),
        samples=hashlib.sha256("\n".join(ids).encode("utf-8", "surrogatepass")).hexdigest(),
        seed=options.seed,
        precision=precision_name(autocast),
        out_style=options.out_style,
    )
    size = _samples_per_batch(config, options, work, dataset, ids, device)
    manifest = work.claim(_manifest(config, options, identity, device, len(ids), size), text)
    unread = 0
    try:
        finished = frozenset(work.finished())
        todo = batches_to_do(dataset.ids, ids, size, finished)
        if todo:
            LOGGER.info(
                "%d of %d samples to explain, %d at once, on %s in %s, work directory %s",
                *(sum(map(len, todo)), len(ids), size, device, identity.precision, work.root),
            )
            explainer = make_explainer(config, classifier, device, autocast)
            seed_everything(options.seed)
            unread = provide_statistics(
                *(explainer, estimation_set, config, identity, work.statistics_path),
                shown=options.progress_bar,
            )
            sizes = FittingSizes(size, config, device)
            explain_all(Job(config, options, work, explainer, dataset, sizes), todo, finished)
    finally:
        manifest = work.close(manifest, ids)
        table, overview = write_report(work, manifest, ids)
    return RunResult(manifest.done, manifest.failed, unread, table, overview)


def _samples_per_batch(
    config: RunConfig,
    options: RunOptions,
    work: WorkDir,
    dataset: SampleDataset,
    ids: Sequence[str],
    device: torch.device,
) -> int:
    """Return how many samples are explained at once: as before, as asked for, or as configured."""

    def fitting() -> int:
        position = {id_: index for index, id_ in enumerate(dataset.ids)}
        shape = first_shape(dataset, [position[id_] for id_ in ids])
        if shape is None:
            return 1
        return fitting_samples(shape, draws_per_sample(config), device, len(ids))

    return choose_samples_per_batch(
        options.samples_per_batch,
        config.loader.batch_size,
        Manifest.read(work.manifest_path).samples_per_batch if work.resumed else None,
        fitting,
    )


def _manifest(
    config: RunConfig,
    options: RunOptions,
    identity: Identity,
    device: torch.device,
    samples: int,
    samples_per_batch: int,
) -> Manifest:
    return Manifest(
        identity=identity,
        config_file=str(config.path),
        layer=config.layer,
        device=_describe(device),
        options=options.as_plain(),
        samples=samples,
        samples_per_batch=samples_per_batch,
    )


def _describe(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return str(device)
