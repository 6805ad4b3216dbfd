"""Time training steps of settings of VIBI, and scale them to an epoch.

    python -m benchmarks.vibi_cost CONFIG [CONFIG ...] [--size published] [--batch-size 32]

Pictures are noise of the data set's size and number, and the black box has weights drawn at
random: neither changes what a step costs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.meters import PeakMemory
from input_iba import models
from input_iba.core.precision import choose_precision
from input_iba.run.device import keep_freed_memory
from input_iba.run.shell import Run
from input_iba.vibi import BlackBox, ExplainedInputs, VibiTrainer
from input_iba.vibi.commands.black_box import classifier_config
from input_iba.vibi.commands.config import VibiConfig, load_vibi_config
from input_iba.vibi.commands.images import build_vibi

CPU = torch.device("cpu")
CLASSES = 10
SETS = {"MNIST": ((1, 28, 28), 60_000), "CIFAR10": ((3, 32, 32), 50_000)}
"""Shape and number of the training pictures."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row per setting."""
    options = parse(arguments)
    keep_freed_memory()
    print(
        "| setting | ms a picture | an epoch, extrapolated | memory, batch of |\n|---|---|---|---|"
    )
    for path in options.configs:
        config = load_vibi_config(path, overrides(options))
        shape, count = SETS[config.data.dataset]
        peak = PeakMemory(CPU)
        peak.start()
        batch = config.training.batch_size
        seconds = seconds_per_step(config, shape, options.steps) / batch
        print(
            f"| `{path.stem}` | {1000 * seconds:.1f} | {seconds * count / 60:.1f} min of {count:,} "
            f"| {peak.mebibytes() / 1024:.1f} GB, {batch} |",
            flush=True,
        )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vibi_cost", description=__doc__)
    parser.add_argument("configs", type=Path, nargs="+", metavar="CONFIG")
    parser.add_argument("--size", choices=["small", "published"], help="default: the config's")
    parser.add_argument("--batch-size", type=int, help="default: the config's")
    parser.add_argument("--steps", type=int, default=3, help="timed, after one that is not")
    return parser.parse_args(arguments)


def overrides(options: argparse.Namespace) -> dict[str, str | int]:
    """Return the config's keys that the command line sets."""
    found: dict[str, str | int] = {}
    if options.size:
        networks = ("explainer", "approximator")
        found |= {f"{network}.size": options.size for network in networks}
        found |= {f"{network}.width": 0 for network in networks}
    if options.batch_size:
        found["training.batch_size"] = options.batch_size
    return found


def seconds_per_step(config: VibiConfig, shape: tuple[int, int, int], steps: int) -> float:
    """Return the mean processor seconds of some training steps, after one that warms up."""
    torch.manual_seed(0)
    autocast = choose_precision("auto", CPU)
    black_box = models.build_classifier(classifier_config(config.black_box, shape[0], CLASSES))
    count = config.training.batch_size * (steps + 1)
    data = ExplainedInputs(
        torch.randint(0, 256, (count, *shape), dtype=torch.uint8),
        torch.full((count, CLASSES), 1 / CLASSES).log(),
        prepare=lambda pixels: pixels.float() / 255,
    )
    trainer = VibiTrainer(
        build_vibi(config, shape, CLASSES, Run(CPU, autocast)),
        *(BlackBox(black_box, None, autocast), data, config.training, CPU),
    )
    ends: list[float] = []
    trainer.train_epoch(0, lambda _: ends.append(time.process_time()))
    return (ends[-1] - ends[0]) / steps


if __name__ == "__main__":
    main()
