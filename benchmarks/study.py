"""Cost against quality of settings, each explained and scored on the same samples.

    python -m benchmarks.study CONFIG [--subset-file FILE] [--limit N] [--json FILE] [--plot FILE]

`settings.py` names the settings. A JSON file that exists is gone on with: samples and settings in
it are not computed again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.faithfulness import classifier_in, explained
from benchmarks.plots import plot_study
from benchmarks.scoring import METRICS, Case
from benchmarks.settings import SETTINGS
from input_iba.attribution import Attributor
from input_iba.config.build import build_attributor
from input_iba.config.load import load_config
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.datasets.ids import select_ids
from input_iba.datasets.loading import read_batches
from input_iba.evaluation import summarise
from input_iba.modality.units import Classify
from input_iba.models import build_classifier
from input_iba.records import Failure, FeatureStatistics, ImageSample
from input_iba.run.device import keep_freed_memory

Found = dict[str, dict[str, dict[str, float]]]
"""By setting and sample id: seconds and scores."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Explain, score, and print a line per setting."""
    options = parse(arguments)
    found: Found = {}
    if options.json and options.json.exists():
        found = json.loads(options.json.read_text())
    keep_freed_memory()
    config = load_config(options.config)
    model = build_classifier(config.classifier).eval()
    dataset = build_dataset(config.attribution_data)
    statistics: FeatureStatistics | None = None
    for sample in samples_of(dataset, options):
        wanted = [name for name in options.settings if sample.id not in found.get(name, {})]
        if wanted and statistics is None:
            statistics = estimate(options, model)
        for name in wanted:
            assert statistics is not None
            scores = measure(options, SETTINGS[name], model, sample, statistics)
            found.setdefault(name, {})[sample.id] = scores
        if options.json:
            options.json.write_text(json.dumps(found, indent=1))
    print(table(found))
    if options.plot:
        plot_study(summary(found), options.plot)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study", description=__doc__)
    parser.add_argument("config", type=Path)
    names = sorted(SETTINGS)
    parser.add_argument("--settings", nargs="+", default=names, choices=names, metavar="NAME")
    parser.add_argument("--metrics", nargs="+", default=list(METRICS), choices=list(METRICS))
    parser.add_argument("--subset-file", type=Path, help="ids of the samples")
    parser.add_argument("--limit", type=int, help="use at most so many samples")
    parser.add_argument("--steps", type=int, default=56, help="of insertion and deletion")
    parser.add_argument("--json", type=Path, help="keep seconds and scores of every sample here")
    parser.add_argument("--plot", type=Path, help="draw quality against seconds")
    return parser.parse_args(arguments)


def samples_of(dataset: SampleDataset, options: argparse.Namespace) -> Iterator[ImageSample]:
    """Yield the chosen samples that can be read and have a label."""
    ids = list(dataset.ids)
    if options.subset_file:
        ids = select_ids(ids, options.subset_file)
    position = {id_: index for index, id_ in enumerate(dataset.ids)}
    for (item,) in read_batches(dataset, [[position[id_]] for id_ in ids[: options.limit]]):
        if isinstance(item, Failure):
            raise SystemExit(f"{item.id} cannot be read: {item.reason}")
        if isinstance(item, ImageSample) and item.target is not None:
            yield item


def estimate(options: argparse.Namespace, model: nn.Module) -> FeatureStatistics:
    """Estimate the layer's statistics once, for all settings."""
    config = load_config(options.config)
    images = build_dataset(config.estimation_data)
    count = min(len(images), config.estimation.n_samples)
    attributor = Attributor(model, config.layer, autocast=torch.bfloat16)
    batches = ([*range(start, min(start + 20, count))] for start in range(0, count, 20))
    return attributor.estimate(torch.stack([images[i].input for i in batch]) for batch in batches)


def measure(
    options: argparse.Namespace,
    overrides: Mapping[str, Any],
    model: nn.Module,
    sample: ImageSample,
    statistics: FeatureStatistics,
) -> dict[str, float]:
    """Explain one sample with one setting; return its seconds and scores."""
    config = load_config(options.config, overrides)
    explainer = build_attributor(config, model, torch.device("cpu"), torch.bfloat16)
    explainer.statistics = statistics
    [record] = explainer.attribute(sample.input[None], [sample.target or 0], ids=[sample.id])
    if isinstance(record, Failure):
        raise SystemExit(f"{sample.id} could not be explained: {record.reason}")
    classify: Classify = classifier_in(model, torch.device("cpu"), "bf16")
    target, probability = explained(classify, sample.input, sample.target)
    case = Case(
        *(classify, sample.input, target, sample.boxes), *(record.input_mask[None], options.steps)
    )
    scores = {"seconds": sum(record.seconds.values()), "probability": probability}
    for name in options.metrics:
        of_sample = METRICS[name](case)
        if not isinstance(of_sample, str):
            scores |= {metric: values[0].item() for metric, values in of_sample.items()}
    return scores


def summary(found: Found) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return mean and 95 % interval of seconds and scores, by setting."""
    rows: dict[str, dict[str, tuple[float, float, float]]] = {}
    for name, of_samples in found.items():
        columns: dict[str, list[float]] = {}
        for scores in of_samples.values():
            for metric, value in scores.items():
                columns.setdefault(metric, []).append(value)
        rows[name] = {}
        for metric, values in columns.items():
            of_metric = summarise(values)
            low, high = of_metric.low, of_metric.high
            mean = of_metric.mean
            rows[name][metric] = (
                mean,
                mean if low is None else low,
                mean if high is None else high,
            )
    return rows


def table(found: Found) -> str:
    """Write one line per setting, the cheapest first."""
    rows = summary(found)
    metrics = [m for m in ("insertion-deletion", "ehr") if any(m in row for row in rows.values())]
    lines = [f"{'setting':34}{'n':>5}{'seconds':>9}" + "".join(f"{m:>30}" for m in metrics)]
    for name in sorted(rows, key=lambda name: rows[name]["seconds"][0]):
        row = rows[name]
        cells = [f"{row[m][0]:.4f} ({row[m][1]:.4f}, {row[m][2]:.4f})" for m in metrics]
        line = f"{name:34}{len(found[name]):5}{row['seconds'][0]:9.2f}"
        lines.append(line + "".join(f"{cell:>30}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
