"""An evaluation from config to report: build, check, score sample by sample, summarise."""

from __future__ import annotations

import json
import random
import traceback
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.targets import probabilities
from input_iba.datasets import SampleDataset
from input_iba.engine.build import build_classifier, build_datasets, weights_digest
from input_iba.engine.config import RunConfig
from input_iba.engine.device import choose_device
from input_iba.engine.evaluation_report import EvaluationResult, Selection, write_result
from input_iba.engine.heat_maps import find_maps, read_map, ties_by_rounding
from input_iba.engine.interruption import terminable
from input_iba.engine.loading import read_batches
from input_iba.engine.logs import LOGGER, logging_to, to_file_only
from input_iba.engine.metrics import Case, Metric, Score, Setting
from input_iba.engine.precision import choose_precision, precision_name
from input_iba.engine.progress import RunProgress
from input_iba.engine.seeds import seed_everything
from input_iba.errors import DataError, EvaluationError, InputIBAError
from input_iba.evaluation.perturbation import Classify
from input_iba.records import Failure, Sample
from input_iba.results import Entry, RowLog


@dataclass(frozen=True)
class EvaluationOptions:
    """Options that all evaluation commands share.

    Attributes:
        work_dir: Folder of the result.
        file_name: Name of the result in it, JSON.
        heatmap_dir: Folder of the maps; None for a metric without maps.
        device: 'auto', 'cpu', 'cuda', 'cuda:INDEX' or 'mps'.
        gpu_id: Index of a GPU, as older commands give it; falls back to the CPU.
        precision: 'auto', 'fp32' or 'bf16', of the classifier.
        seed: Seed of what is drawn: the choice of samples, and what the metric draws.
        num_samples: Samples to score, drawn at random; 0 for all.
        scores_file: JSON file of target probabilities; None lets the classifier say.
        scores_threshold: Target probability below which samples are left out.
        resume: Go on with the rows that are there.
        allow_missing: Leave out samples without a map instead of refusing to run.
        progress_bar: True shows the bar, False hides it, None shows it on a terminal.
    """

    work_dir: Path
    file_name: str
    heatmap_dir: Path | None = None
    device: str = "auto"
    gpu_id: int | None = None
    precision: str = "auto"
    seed: int = 0
    num_samples: int = 0
    scores_file: Path | None = None
    scores_threshold: float = 0.6
    resume: bool = False
    allow_missing: bool = False
    progress_bar: bool | None = None

    @property
    def path(self) -> Path:
        """The JSON file."""
        path = self.work_dir / self.file_name
        return path if path.suffix == ".json" else path.with_name(f"{path.name}.json")


def run_evaluation(
    config: RunConfig, options: EvaluationOptions, metric: Metric
) -> EvaluationResult:
    """Score the maps of a folder by one metric.

    Args:
        config: Names classifier and samples.
        options: Where maps are and results go, on which device, with which seed.
        metric: What is measured.

    Raises:
        InputIBAError: Nothing could be started; the message says why. A single sample that
            cannot be read or scored raises nothing: it is reported as failed.
    """
    path = options.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with logging_to(path.with_suffix(".log")), terminable():
        try:
            return _run(config, options, metric)
        except InputIBAError as error:
            to_file_only(f"Ended by an error: {error}")
            raise
        except KeyboardInterrupt:
            LOGGER.warning("Interrupted. What is done is kept: continue with --resume.")
            raise


def _run(config: RunConfig, options: EvaluationOptions, metric: Metric) -> EvaluationResult:
    device, warnings = choose_device(options.device, options.gpu_id)
    for warning in (*config.warnings, *warnings):
        LOGGER.warning("%s", warning)
    autocast = choose_precision(options.precision, device)
    seed_everything(options.seed)
    classifier = build_classifier(config)
    _, dataset = build_datasets(config)
    maps = {} if options.heatmap_dir is None else find_maps(options.heatmap_dir, dataset.ids)
    selection = select(dataset.ids, maps, options)
    warn_of_ties([maps[id_] for id_ in selection.ids if id_ in maps])
    made_with = _made_with(config, options, metric, classifier, dataset, autocast)
    setting = Setting(
        *(config, classifier.to(device), _in_precision(classifier, device, autocast), device),
        *(autocast, options.seed),
        rows=config.internal_batch_size or 32,
        beside=options.path.with_suffix(""),
    )
    log = RowLog(options.path.with_suffix(".rows.jsonl"))
    kept = log.begin(made_with, options.resume)
    entries = {
        id_: entry
        for id_, entry in kept.items()
        if entry.status != "failed" and entry.stamp == _stamp(maps.get(id_))
    }
    job = _Job(setting, metric, options, maps, read_scores(options.scores_file))
    try:
        _score_all(job, dataset, selection, entries, log)
    finally:  # also when interrupted: what is there is reported, as incomplete
        result = write_result(options.path, metric, made_with, selection, entries)
    return result


@dataclass(frozen=True)
class _Job:
    """What is scored, by what."""

    setting: Setting
    metric: Metric
    options: EvaluationOptions
    maps: Mapping[str, Path]
    scores: Mapping[str, float] | None


def select(ids: Sequence[str], maps: Mapping[str, Path], options: EvaluationOptions) -> Selection:
    """Choose the samples to score.

    Raises:
        EvaluationError: There are no maps, or some are missing and may not be.
    """
    if options.heatmap_dir is None:
        missing, there = [], list(ids)
    else:
        missing, there = [i for i in ids if i not in maps], [i for i in ids if i in maps]
    if not there or (missing and not options.allow_missing):
        raise EvaluationError(
            f"'{options.heatmap_dir}' has no map (npz, npy or png) of {len(missing)} of {len(ids)} "
            f"samples: {', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}. "
            + ("Leave them out with --allow-missing, or explain them." if there else "")
        )
    if options.num_samples:
        # Drawn from all, so that the maps that are missing do not change the order.
        drawn = random.Random(options.seed).sample(list(ids), len(ids))
        chosen = set([id_ for id_ in drawn if id_ in set(there)][: options.num_samples])
        there = [id_ for id_ in there if id_ in chosen]
    return Selection(there, missing, len(ids))


def warn_of_ties(paths: Sequence[Path]) -> None:
    """Say when maps are of a format in which pixels of unlike heat become equal."""
    rounded = sum(map(ties_by_rounding, paths))
    if rounded:
        LOGGER.warning(
            "%d of %d maps are 8-bit PNG files: at most 256 values, so ranks tie and scores shift. "
            "Prefer npz or npy maps.",
            *(rounded, len(paths)),
        )


def read_scores(path: Path | None) -> Mapping[str, float] | None:
    """Read target probabilities, as `get_target_scores.py` or the published script wrote them.

    Raises:
        DataError: The file is absent, or holds something else.
    """
    if path is None:
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = content.get("rows", content)
        return {id_: float(row["pred"]) for id_, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"Target scores '{path}' cannot be used: {type(error).__name__}: {error}. Expected "
            "JSON as get_target_scores.py writes it: {name: {target, pred}}."
        ) from error


def _score_all(
    job: _Job,
    dataset: SampleDataset,
    selection: Selection,
    entries: dict[str, Entry],
    log: RowLog,
) -> None:
    """Score what is left, adding to `entries` and to the log sample by sample."""
    todo = [i for i, id_ in enumerate(dataset.ids) if id_ in set(selection.ids) - entries.keys()]
    LOGGER.info("%d of %d samples to score by %s", len(todo), len(selection.ids), job.metric.name)
    if not todo:
        return
    score = job.metric.scorer(job.setting)
    with RunProgress(len(todo), shown=job.options.progress_bar) as progress:
        for [item] in read_batches(
            dataset, [[i] for i in todo], job.setting.config.loader.num_workers
        ):
            entry = _entry(job, item, score)
            if entry.status == "failed":
                LOGGER.error("sample %s failed: %s", entry.id, entry.reason)
            log.append(entry)
            entries[entry.id] = entry
            progress.end_batch(1)


def _entry(job: _Job, item: Sample | Failure, score: Score) -> Entry:
    """Score one sample; whatever goes wrong with it stays with it."""
    stamp = _stamp(job.maps.get(item.id))
    if isinstance(item, Failure):
        return Entry(item.id, "failed", {}, item.reason, stamp)
    try:
        case = _case(job, item)
        found = case if isinstance(case, str) else score(case)
    except InputIBAError as error:
        return Entry(item.id, "failed", {}, str(error), stamp)
    except Exception as error:
        to_file_only(f"sample {item.id}: {traceback.format_exc()}")
        reason = f"{type(error).__name__}: {error} (details in the log)"
        return Entry(item.id, "failed", {}, reason, stamp)
    if isinstance(found, str) or isinstance(case, str):
        return Entry(item.id, "skipped", {}, str(found), stamp)
    row = {"target": case.target, "pred": case.probability, **found}
    return Entry(item.id, "scored", row, "", stamp)


def _case(job: _Job, sample: Sample) -> Case | str:
    """Return what is scored of a sample, or why it is left out."""
    heat = read_map(job.maps[sample.id]) if sample.id in job.maps else None
    x = sample.input.to(job.setting.device)
    if heat is None:
        heat = torch.zeros(tuple(x.shape[1:]), dtype=torch.float64)
    if heat.shape != x.shape[1:]:
        raise EvaluationError(
            f"Map '{job.maps[sample.id]}' has shape {tuple(heat.shape)}, the input "
            f"{tuple(x.shape[1:])}. Resize the map, or use the config that it was made with."
        )
    target, probability = _explained(job, x, sample)
    if probability is None:
        return f"no target probability in '{job.options.scores_file}'"
    if probability < job.options.scores_threshold:
        return f"target probability below {job.options.scores_threshold:g}"
    return Case(replace(sample, input=x), target, probability, heat)


@torch.no_grad()
def _explained(job: _Job, x: Tensor, sample: Sample) -> tuple[int, float | None]:
    """Return the target, the predicted class where none is given, and its probability."""
    if job.scores is not None and sample.target is not None:
        return sample.target, job.scores.get(sample.id)
    logits = job.setting.classify(x[None])
    if not bool(torch.isfinite(logits).all()):
        raise EvaluationError("The classifier's logits are not finite.")
    chances = probabilities(logits, job.setting.config.use_softmax)[0]
    label = int(chances.argmax()) if sample.target is None else sample.target
    if not 0 <= label < len(chances):
        raise EvaluationError(
            f"Target class {label} does not exist: the classifier has {len(chances)} classes."
        )
    known = None if job.scores is None else job.scores.get(sample.id)
    return label, float(chances[label]) if job.scores is None else known


def _in_precision(
    classifier: nn.Module, device: torch.device, autocast: torch.dtype | None
) -> Classify:
    """Return the forward pass in a precision, with float32 logits."""

    def classify(inputs: Tensor) -> Tensor:
        with torch.autocast(device.type, autocast) if autocast else nullcontext():
            logits: Tensor = classifier(inputs)
        return logits.float()

    return classify


def _made_with(
    config: RunConfig,
    options: EvaluationOptions,
    metric: Metric,
    classifier: nn.Module,
    dataset: SampleDataset,
    autocast: torch.dtype | None,
) -> dict[str, Any]:
    """Return everything that decides a row, as plain data."""
    plain = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in asdict(metric).items()  # type: ignore[call-overload]
    }
    return {
        "metric": metric.name,
        "settings": plain,
        "config": str(config.path),
        "config_hash": config.digest(),
        "classifier": weights_digest(classifier),
        "data": dataset.fingerprint(),
        "maps": None if options.heatmap_dir is None else str(options.heatmap_dir),
        "scores_file": None if options.scores_file is None else str(options.scores_file),
        "scores_threshold": options.scores_threshold,
        "seed": options.seed,
        "precision": precision_name(autocast),
    }


def _stamp(path: Path | None) -> str:
    """Return what changes when a map is written again."""
    if path is None:
        return ""
    status = path.stat()
    return f"{status.st_size}/{status.st_mtime_ns}"
