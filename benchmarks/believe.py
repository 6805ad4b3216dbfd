"""Show whether the verdict on a map tells maps that mean something from maps that do not.

    python -m benchmarks.believe [--config CONFIG] [--preset P] [--development 30] [--fresh 60]
        --json ROWS

Explains the predicted class of images of the estimation set (for development) and of the
attribution set (fresh ones), and, of the same images, what should not be believed: a class that is
absent, the class predicted by the network with new random weights, and that predicted by such a
network whose norms and last layer are set so that it is as sure as the trained one. Rows are kept,
and what is there is not computed again; the table is made of them by the present bounds.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor
from input_iba.config.build import build_attributor, build_classifier
from input_iba.config.load import RunConfig, load_config
from input_iba.core.precision import choose_precision
from input_iba.core.targets import probabilities
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.drawing import Grid, as_markdown
from input_iba.evaluation.absent_class import absent_classes, separation
from input_iba.evaluation.reinitialise import cascade, layers_from_the_top
from input_iba.records import Attribution, Checks, belief
from input_iba.run.device import keep_freed_memory

PREDICTED, ABSENT, RANDOM, SURE = CONDITIONS = (
    "predicted class",
    "absent class",
    "re-initialised",
    "re-initialised, as sure",
)
AT_ONCE, ESTIMATION, SEED = 10, 100, 0
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Compute what is missing, and print the table of the images of both parts."""
    options = parse(arguments)
    keep_freed_memory()
    rows: list[Row] = json.loads(options.json.read_text()) if options.json.is_file() else []
    config = load_config(options.config, {"data.attribution.with_bbox": False}, options.preset)
    for row in missing_rows(config, options.development, options.fresh, list(rows)):
        rows.append(row)
        options.json.write_text(json.dumps(rows))
    shares = [row["share"] for row in rows if "share" in row]
    if shares:
        print(f"Checks take {100 * median(shares):.1f} % of the time of a map.\n")
    for part in ("development", "fresh"):
        print(as_markdown(table(part, [row for row in rows if row["part"] == part])))


def missing_rows(
    config: RunConfig, development: int, fresh: int, rows: Sequence[Row]
) -> Iterator[Row]:
    """Yield a row for each image and condition that has none."""
    known = {(row["condition"], row["id"]) for row in rows}
    estimation, attribution = map(build_dataset, (config.estimation_data, config.attribution_data))
    chosen = drawn(estimation, development + ESTIMATION)
    parts = {
        "development": (estimation, chosen[:development]),
        "fresh": (attribution, drawn(attribution, fresh)),
    }
    usual = inputs_of(estimation, chosen[development:])
    trained = build_classifier(config)
    networks = {PREDICTED: trained, ABSENT: trained, **untrained(trained, usual)}
    attributors = {name: fitted(config, net, usual) for name, net in networks.items()}
    for part, (data, indices) in parts.items():
        for start in range(0, len(indices), AT_ONCE):
            for condition in CONDITIONS:
                some = indices[start : start + AT_ONCE]
                some = [i for i in some if (condition, data.ids[i]) not in known]
                if some:
                    for row in explained(attributors[condition], condition, data, some):
                        yield {"part": part, **row}


def drawn(data: SampleDataset, count: int) -> list[int]:
    """Return some of a data set's samples, drawn by the seed."""
    generator = torch.Generator().manual_seed(SEED)
    return torch.randperm(len(data), generator=generator)[:count].tolist()


def inputs_of(data: SampleDataset, indices: Sequence[int]) -> Tensor:
    """Return inputs (S, C, H, W)."""
    return torch.stack([data[i].input for i in indices])


def fitted(config: RunConfig, network: nn.Module, usual: Tensor) -> Attributor:
    """Return the three stages for a network, with its statistics on usual inputs."""
    device = torch.device("cpu")
    found = build_attributor(config, network, device, choose_precision("auto", device))
    assert isinstance(found, Attributor)
    found.estimate(torch.split(usual, AT_ONCE))
    return found


def untrained(trained: nn.Module, usual: Tensor) -> dict[str, nn.Module]:
    """Return networks with random weights: as they come, and as sure as the trained one."""
    with cascade(trained, layers_from_the_top(trained), SEED) as steps:
        for _ in steps:
            pass
        random = copy.deepcopy(trained)
    sure = copy.deepcopy(random)
    norms = [module for module in sure.modules() if isinstance(module, NORMS)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    scores(sure, usual)
    sure.eval()
    wanted, found = scores(trained, usual), scores(sure, usual)
    [*_, head] = (module for module in sure.modules() if isinstance(module, nn.Linear))
    low, high = 1.0, 1e6
    for _ in range(50):
        scale = (low * high) ** 0.5
        less = certainty((found - found.mean(0)) * scale) < certainty(wanted)
        low, high = (scale, high) if less else (low, scale)
    with torch.no_grad():
        head.bias.sub_(found.mean(0)).mul_(scale)
        head.weight.mul_(scale)
    return {RANDOM: random, SURE: sure}


@torch.no_grad()
def scores(network: nn.Module, inputs: Tensor) -> Tensor:
    """Return logits (S, classes)."""
    return torch.cat([network(some) for some in torch.split(inputs, AT_ONCE)])


def certainty(logits: Tensor) -> float:
    """Return the median probability of the predicted class."""
    return float(probabilities(logits).amax(1).median())


def explained(
    attributor: Attributor, condition: str, data: SampleDataset, indices: Sequence[int]
) -> Iterator[Row]:
    """Yield what was checked of the maps of some images."""
    inputs, ids = inputs_of(data, indices), [data.ids[i] for i in indices]
    targets: list[int] | None = None
    if condition == ABSENT:
        chances = probabilities(scores(attributor.model, inputs))
        absent = [absent_classes(p, "random", 1, id_) for p, id_ in zip(chances, ids, strict=True)]
        targets = [label for [label] in absent]
    for id_, found in zip(ids, attributor.attribute(inputs, targets, ids=ids), strict=True):
        row = {"condition": condition, "id": id_}
        if isinstance(found, Attribution) and found.checks is not None:
            losses = {"input_iba/target": found.losses["input_iba/target"].tolist()}
            seen = {"met": found.target_probability, "losses": losses}
            share = found.seconds["checks"] / sum(found.seconds.values())
            yield {**row, **seen, "checks": asdict(found.checks), "share": share}
        else:
            yield {**row, "checks": None}


def judged(row: Row) -> tuple[float, str, Mapping[str, float]]:
    """Return score, verdict and marks of a row by the present bounds; what failed is red."""
    if row["checks"] is None:
        return -1e9, "red", {}
    found = belief(row["met"], row["losses"], Checks(**row["checks"]))
    return found.score, found.verdict, found.marks


def table(title: str, rows: Sequence[Row]) -> Grid:
    """Return verdicts of each condition, and the area under the ROC curve by each check and all."""
    by_condition = {name: [row for row in rows if row["condition"] == name] for name in CONDITIONS}
    good = [judged(row) for row in by_condition[PREDICTED]]
    names = sorted({name for _, _, marks in good for name in marks})
    lines = []
    for condition, of_it in by_condition.items():
        found = [judged(row) for row in of_it]
        verdicts = [verdict for _, verdict, _ in found]
        counts = [str(verdicts.count(colour)) for colour in ("green", "amber", "red")]
        areas = ["–"] * (len(names) + 1)
        if condition != PREDICTED and found:
            by_check = [
                [[m.get(name, -1e9) for _, _, m in f] for f in (good, found)] for name in names
            ]
            by_all = [[score for score, _, _ in f] for f in (good, found)]
            areas = [f"{separation(*pair):.3f}" for pair in (by_all, *by_check)]
        lines.append((condition, str(len(of_it)), *counts, *areas))
    head = ("map of", "n", "green", "amber", "red", "AUROC", *(f"by {name}" for name in names))
    return Grid(title, head, lines)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.believe", description=__doc__)
    parser.add_argument("--config", default="configs/efficientnet_lite0_imagenet.py")
    parser.add_argument("--preset", default="instant", choices=["fast", "instant"])
    parser.add_argument("--development", type=int, default=30)
    parser.add_argument("--fresh", type=int, default=60)
    parser.add_argument("--json", type=Path, required=True)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
