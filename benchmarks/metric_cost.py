"""Time metrics of one map against the forward passes that they cannot do without.

    python -m benchmarks.metric_cost [--model NAME] [--repeats N] [--json FILE]

The plain passes see prepared inputs of the same shape in the same chunks; passes and metric take
turns, and the median of the ratios counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.setups import CASES, from_name
from input_iba.evaluation import insertion_deletion, random_sets, sensitivity_n
from input_iba.run.device import keep_freed_memory

ROWS = 32
"""Inputs that the classifier sees at once."""

N = 1000
"""Pixels in each set of sensitivity-N."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print seconds and ratio of each metric."""
    options = parse(arguments)
    keep_freed_memory()
    setup = from_name(options.model, 1, torch.device("cpu"))
    image = setup.images[:1]
    heats = torch.rand(image.shape[0], *image.shape[2:])
    height, width = image.shape[2:]
    steps = -(-height * width // options.pixel_batch_size) + 1
    sets = random_sets((height, width), N, options.num_masks)
    size = options.pixel_batch_size

    def by_steps() -> None:
        insertion_deletion(
            setup.model, image, heats, [0], pixel_batch_size=size, internal_batch_size=ROWS
        )

    def by_sets() -> None:
        sensitivity_n(setup.model, image, heats, [0], sets, internal_batch_size=ROWS)

    found = {}
    with torch.no_grad():
        for name, metric, passes in (
            ("insertion_deletion", by_steps, 2 * steps),
            ("sensitivity_n", by_sets, options.num_masks + 1),
        ):
            found[name] = compare(metric, plain_passes(setup.model, image, passes), options.repeats)
            ratio = found[name]["ratio"]
            seconds = found[name]["seconds"]
            print(f"{name}: {passes} forward passes, {seconds:.2f} s, {ratio:.3f} of the passes")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metric_cost", description=__doc__)
    parser.add_argument("--model", default="efficientnet_lite0", choices=list(CASES))
    parser.add_argument("--pixel-batch-size", type=int, default=224)
    parser.add_argument("--num-masks", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args(arguments)


def plain_passes(model: nn.Module, image: Tensor, passes: int) -> Callable[[], None]:
    """Return a function that runs the classifier on so many copies of an image."""
    batch = image.repeat(ROWS, 1, 1, 1)

    def run() -> None:
        for start in range(0, passes, ROWS):
            model(batch[: min(ROWS, passes - start)])

    return run


def compare(
    metric: Callable[[], None], plain: Callable[[], None], repeats: int
) -> dict[str, float]:
    """Time both in turn, after one round that does not count."""
    rounds = [(timed(metric), timed(plain)) for _ in range(repeats + 1)][1:]
    return {
        "seconds": statistics.median(ours for ours, _ in rounds),
        "ratio": statistics.median(ours / theirs for ours, theirs in rounds),
    }


def timed(run: Callable[[], None]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
