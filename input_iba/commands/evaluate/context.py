"""What an evaluation scores, and by what, built from its config."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from input_iba.commands.evaluate.loop import Scoring
from input_iba.commands.evaluate.options import EvaluationOptions
from input_iba.commands.evaluate.samples import read_scores, select
from input_iba.config.build import build_attributor, build_own_method
from input_iba.config.load import RunConfig
from input_iba.config.other_method import with_baseline
from input_iba.core.classifier import Classifier
from input_iba.core.fitting import FittingRows
from input_iba.core.outputs import class_names_of
from input_iba.datasets import SampleDataset
from input_iba.datasets.loading import cut, read_batches
from input_iba.errors import EvaluationError
from input_iba.evaluation import METRICS, EvaluationContext, Metric
from input_iba.evaluation.asking import Asking
from input_iba.records import Sample
from input_iba.results import RowLog
from input_iba.results.map_files import find_maps
from input_iba.run.prepared_run import prepare
from input_iba.run.shell import Run


def build_scoring(
    config: RunConfig, options: EvaluationOptions, metric: Metric, run: Run
) -> Scoring:
    """Build what is scored, and by what.

    Raises:
        InputIBAError: Something is wrong or missing; the message says what.
    """
    check_kind([metric], config)
    context, dataset = build_context(config, run, options.path.with_suffix(""))
    score, folder = metric.scorer(context), options.heatmap_dir
    maps = {} if folder is None else find_maps(folder, dataset.ids)
    scores = None if options.scores_file is None else read_scores(options.scores_file)
    selection = select(
        dataset.ids,
        None if folder is None else maps,
        options.num_samples,
        options.seed,
        allow_missing=options.allow_missing or not metric.needs_map,
    )
    log = RowLog(options.path.with_suffix(".rows.jsonl"))
    return Scoring(
        config, context, metric, score, options, dataset, folder, maps, selection, log, scores
    )


def check_kind(metrics: Iterable[Metric], config: RunConfig) -> None:
    """Refuse metrics that are about another kind of input than a config."""
    kind = config.kind.name
    for metric in metrics:
        if metric.kind not in (None, kind):
            fitting = ", ".join(name for name, other in METRICS.items() if other.kind == kind)
            raise EvaluationError(
                f"Metric {metric.name!r} is about {metric.kind}, and the config is about {kind}. "
                f"Metrics for it: {fitting}."
            )


def build_context(
    config: RunConfig, run: Run, beside: Path
) -> tuple[EvaluationContext, SampleDataset]:
    """Build what all samples share, and the data set to score.

    `beside` is the path of the result without its extension.
    """
    ready = prepare(config, run)
    config, classifier, dataset = ready.config, ready.classifier, ready.dataset
    device, autocast = run.device, run.autocast
    fitting = FittingRows(config.internal_batch_size, device)
    modality = config.kind.modality(classifier)
    runner = Classifier(classifier, run=modality.run, autocast=autocast, output=config.output)
    names = dataset.class_names or class_names_of(classifier)
    question, use_softmax = config.question, config.use_softmax
    classify = Asking(runner, modality, fitting, question, names, use_softmax)
    context = EvaluationContext(
        use_softmax=use_softmax,
        section=config.raw.get("sanity_check") or {},
        config_path=config.path,
        classifier=classifier,
        classify=classify,
        ask=classify.ask,
        device=device,
        autocast=autocast,
        seed=run.seed,
        make_explainer=lambda: build_own_method(config, classifier, device, autocast),
        make_method=lambda name: build_attributor(
            config if name is None else with_baseline(config, name), classifier, device, autocast
        ),
        estimation_inputs=partial(_spread, ready.estimation_set, config),
        ids=dataset.ids,
        beside=beside,
        fitting=fitting,
        fingerprints=ready.fingerprints(),
    )
    return context, dataset


def _spread(dataset: SampleDataset, config: RunConfig, count: int) -> tuple[Iterator[Tensor], int]:
    """Return inputs evenly spread over a data set, which is sorted by class as a rule."""
    count = min(count, config.estimation.n_samples, len(dataset))
    chosen = [i * len(dataset) // count for i in range(count)]
    batches = (
        [item.input for item in items if isinstance(item, Sample)]
        for items in read_batches(dataset, cut(chosen, 8), config.loader.num_workers)
    )
    return (torch.stack(inputs) for inputs in batches if inputs), count
