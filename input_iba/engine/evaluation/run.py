"""An evaluation from config to report: build, check, score sample by sample, summarise."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.datasets import SampleDataset
from input_iba.engine.build import build_classifier, build_datasets, weights_digest
from input_iba.engine.config import RunConfig
from input_iba.engine.device import choose_device
from input_iba.engine.evaluation.heat_maps import find_maps
from input_iba.engine.evaluation.loop import Scoring, score_all
from input_iba.engine.evaluation.metrics import Metric, Setting
from input_iba.engine.evaluation.options import EvaluationOptions
from input_iba.engine.evaluation.report import EvaluationResult, write_result
from input_iba.engine.evaluation.samples import read_scores, select, stamp, warn_of_ties
from input_iba.engine.interruption import terminable
from input_iba.engine.logs import LOGGER, logging_to, to_file_only
from input_iba.engine.memory import keep_freed_memory
from input_iba.engine.precision import choose_precision, precision_name
from input_iba.engine.seeds import seed_everything
from input_iba.errors import InputIBAError, ResumeError
from input_iba.evaluation.perturbation import Classify
from input_iba.results import RowLog


def run_evaluation(
    config: RunConfig, options: EvaluationOptions, metric: Metric
) -> EvaluationResult:
    """Score the maps of a folder by one metric.

    Beside the result lie its curve (`.png`), the rows as they came (`.rows.jsonl`, which
    `--resume` goes on with) and a log (`.log`).

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
    scoring = _set_up(config, options, metric)
    maps = None if options.heatmap_dir is None else scoring.maps
    selection = select(
        *(scoring.dataset.ids, maps, options.num_samples, options.seed),
        allow_missing=options.allow_missing or not metric.needs_map,
    )
    if metric.needs_map:
        warn_of_ties([scoring.maps[id_] for id_ in selection.ids])
    identity = _identity(scoring)
    log = RowLog(options.path.with_suffix(".rows.jsonl"))
    if options.path.exists() and not log.path.exists():
        raise ResumeError(
            f"'{options.path}' exists and was not made by this tool, or its rows are gone. Choose "
            "another FILE_NAME, or move the file."
        )
    entries = {
        id_: entry
        for id_, entry in log.begin(identity, options.resume).items()
        if entry.status != "failed" and entry.stamp == stamp(scoring.maps.get(id_))
    }
    made_with = {"config": str(config.path), **identity}
    try:
        score_all(scoring, selection, entries, log)
    finally:  # an interrupted evaluation reports what it has, as partial
        result = write_result(options.path, metric, made_with, selection, entries)
    return result


def _set_up(config: RunConfig, options: EvaluationOptions, metric: Metric) -> Scoring:
    """Build and check all that an evaluation needs before it writes anything."""
    device, warnings = choose_device(options.device, options.gpu_id)
    for warning in (*config.warnings, *warnings):
        LOGGER.warning("%s", warning)
    autocast = choose_precision(options.precision, device)
    keep_freed_memory()
    seed_everything(options.seed)
    classifier = build_classifier(config).to(device)
    estimation_set, dataset = build_datasets(config)
    maps = {} if options.heatmap_dir is None else find_maps(options.heatmap_dir, dataset.ids)
    setting = Setting(
        config=config,
        classifier=classifier,
        classify=_in_precision(classifier, device, autocast),
        device=device,
        autocast=autocast,
        seed=options.seed,
        estimation_set=estimation_set,
        ids=dataset.ids,
        beside=options.path.with_suffix(""),
    )
    scores = None if options.scores_file is None else read_scores(options.scores_file)
    return Scoring(setting, metric, metric.scorer(setting), options, dataset, maps, scores)


def _in_precision(
    classifier: nn.Module, device: torch.device, autocast: torch.dtype | None
) -> Classify:
    """Return the forward pass in a precision, with float32 logits."""

    def classify(inputs: Tensor) -> Tensor:
        with torch.autocast(device.type, autocast) if autocast else nullcontext():
            logits: Tensor = classifier(inputs)
        return logits.float()

    return classify


def _identity(scoring: Scoring) -> Mapping[str, Any]:
    """Return everything that decides a row, as plain data."""
    setting, options = scoring.setting, scoring.options
    dataset: SampleDataset = scoring.dataset
    plain = {key: _plain(value) for key, value in asdict(scoring.metric).items()}
    return {
        "metric": scoring.metric.name,
        "settings": plain,
        "config_hash": setting.config.digest(),
        "classifier": weights_digest(setting.classifier),
        "data": dataset.fingerprint(),
        "maps": _plain(options.heatmap_dir),
        "scores_file": _plain(options.scores_file),
        "scores_threshold": options.scores_threshold,
        "seed": options.seed,
        "precision": precision_name(setting.autocast),
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
