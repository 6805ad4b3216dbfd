"""Compare masks of several work directories by insertion and deletion, and effective heat ratio.

    python -m benchmarks.faithfulness CONFIG --work-dir DIR [DIR ...] [--metrics METRIC ...]

The samples and the classifier come from the config. Only samples of which every work directory has
a mask count, so that the directories are compared on the same ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from mmengine.config import DictAction
from torch import Tensor, nn

from benchmarks.compared import Compared
from benchmarks.scoring import HIGHER_IS_BETTER, METRICS, Case
from input_iba.config.load import load_config
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.evaluation import Summary, paired_difference, summarise
from input_iba.modality.units import Classify
from input_iba.models import build_classifier
from input_iba.records import Failure
from input_iba.run.device import keep_freed_memory

Scores = dict[str, dict[str, list[float]]]
"""By metric and sample id: one score per name of what gave the masks."""


class Left(dict[str, list[str]]):
    """Ids of the samples left out, by reason."""

    def out(self, sample_id: str, reason: str) -> None:
        """Leave out a sample."""
        self.setdefault(reason, []).append(sample_id)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table per metric, and how many samples were left out and why."""
    options = parse(arguments)
    keep_freed_memory()
    config = load_config(options.config, options.cfg_options)
    device = torch.device(options.device)
    model = build_classifier(config.classifier).to(device).eval()
    compared = Compared(tuple(options.work_dir), options.masks, options.subset_file)
    classify = classifier_in(model, device, options.precision)
    scores, left = measure(classify, build_dataset(config.attribution_data), compared, options)
    for reason, ids in left.items():
        print(f"{len(ids)} left out: {reason}", file=sys.stderr)
    if not scores:
        raise SystemExit("No sample could be scored.")
    found = {metric: report(of_metric, compared.names) for metric, of_metric in scores.items()}
    print("\n\n".join(table(metric, rows) for metric, rows in found.items()))
    if options.json:
        content = as_json(options, compared, scores, left, found)
        options.json.write_text(json.dumps(content, indent=2))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faithfulness", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--work-dir", type=Path, nargs="+", required=True)
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, help="KEY=VALUE ...")
    parser.add_argument("--masks", default="input_masks", choices=["input_masks", "feat_masks"])
    known = list(METRICS)
    parser.add_argument("--metrics", nargs="+", default=known[:1], choices=known)
    parser.add_argument("--min-probability", type=float, default=0.6, help="of the target")
    parser.add_argument("--subset-file", type=Path, help="ids of the samples to compare")
    parser.add_argument("--steps", type=int, default=224, help="steps from no pixel to all")
    parser.add_argument("--limit", type=int, help="use at most so many samples")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", choices=["float32", "bf16"])
    parser.add_argument("--json", type=Path, help="write every score and the summaries here")
    return parser.parse_args(arguments)


def classifier_in(model: nn.Module, device: torch.device, precision: str) -> Classify:
    """Return the classifier's forward pass in a precision, with float32 logits."""
    autocast = torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()

    def classify(inputs: Tensor) -> Tensor:
        with autocast:
            logits: Tensor = model(inputs)
        return logits.float()

    return classify


def measure(
    classify: Classify, dataset: SampleDataset, compared: Compared, options: argparse.Namespace
) -> tuple[Scores, Left]:
    """Score every sample that all work directories explained."""
    scores: Scores = {}
    left, device = Left(), torch.device(options.device)
    indices, without = compared.indices(dataset)
    for id_ in without:
        left.out(id_, "not every work directory has a mask")
    used: set[str] = set()
    for item, heats in compared.read(dataset, indices):
        if options.limit is not None and len(used) >= options.limit:
            break
        if isinstance(item, Failure):
            left.out(item.id, f"cannot be read: {item.reason}")
            continue
        x = item.input.to(device)
        target, probability = explained(classify, x, item.target)
        if probability < options.min_probability:
            left.out(item.id, f"target probability below {options.min_probability}")
            continue
        case = Case(classify, x, target, item.boxes, heats.to(device), options.steps)
        for name in options.metrics:
            of_sample = METRICS[name](case)
            if isinstance(of_sample, str):
                left.out(item.id, of_sample)
                continue
            used.add(item.id)
            for metric, values in of_sample.items():
                scores.setdefault(metric, {})[item.id] = values.tolist()
    return scores, left


@torch.no_grad()
def explained(classify: Classify, x: Tensor, target: int | None) -> tuple[int, float]:
    """Return the target, the predicted class where none is given, and its probability."""
    probabilities = classify(x[None]).softmax(-1)[0]
    label = int(probabilities.argmax()) if target is None else target
    return label, probabilities[label].item()


Report = dict[str, tuple[Summary, Summary | None]]
"""By name of what gave the masks: mean, and difference from the first but for the first."""


def report(scores: Mapping[str, Sequence[float]], names: Sequence[str]) -> Report:
    """Summarise the scores of one metric, given by sample id."""
    columns = torch.tensor(list(scores.values()), dtype=torch.float64).T.numpy()
    differences = [None, *(paired_difference(column, columns[0]) for column in columns[1:])]
    pairs = zip(map(summarise, columns), differences, strict=True)
    return dict(zip(names, pairs, strict=True))


def table(metric: str, rows: Report) -> str:
    """Write means and differences from the first row, with their 95 % intervals."""
    direction = "higher" if HIGHER_IS_BETTER[metric] else "lower"
    count = next(iter(rows.values()))[0].n
    lines = [f"{metric}: {count} samples, {direction} is better, 95 % bootstrap intervals"]
    lines.append(f"{'masks of':40} {'mean':26} {'deviation':>9}   against the first row")
    for name, (own, difference) in rows.items():
        deviation = "" if own.std is None else f"{own.std:.4f}"
        line = f"{name[-40:]:40} {interval(own, ''):26} {deviation:>9}"
        lines.append(line if difference is None else f"{line}   {interval(difference, '+')}")
    return "\n".join(lines)


def interval(summary: Summary, sign: str) -> str:
    """Write a mean with its interval."""
    if summary.low is None or summary.high is None:
        return f"{summary.mean:{sign}.4f}"
    return f"{summary.mean:{sign}.4f} [{summary.low:{sign}.4f}, {summary.high:{sign}.4f}]"


def as_json(
    options: argparse.Namespace,
    compared: Compared,
    scores: Scores,
    left: Left,
    found: Mapping[str, Report],
) -> dict[str, Any]:
    """Return everything that was found as plain data."""
    settings = {
        key: getattr(options, key) for key in ("masks", "min_probability", "steps", "precision")
    }
    return {
        "config": str(options.config),
        "settings": settings,
        "names": compared.names,
        "left_out": left,
        "scores": scores,
        "summary": {
            metric: {
                "higher_is_better": HIGHER_IS_BETTER[metric],
                "mean": {name: own.to_dict() for name, (own, _) in rows.items()},
                "against_first": {
                    name: difference.to_dict()
                    for name, (_, difference) in rows.items()
                    if difference is not None
                },
            }
            for metric, rows in found.items()
        },
    }


if __name__ == "__main__":
    main()
