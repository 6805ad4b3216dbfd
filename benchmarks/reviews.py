"""Time the explanation of reviews of one length, alone and in batches.

    python -m benchmarks.reviews [--config CONFIG] [--tokens 200] [--reviews 8]

The words are drawn at random: what a review says does not change what its explanation costs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks.attribution import STAGES
from input_iba.attribution import Attributor
from input_iba.datasets.vocabulary import SPECIALS
from input_iba.engine.build import build_attributor
from input_iba.engine.config import load_config
from input_iba.engine.memory import keep_freed_memory
from input_iba.engine.precision import choose_precision, precision_name
from input_iba.models import build_classifier
from input_iba.models.deep_lstm import VOCABULARY_SIZE
from input_iba.records import Attribution

RANDOM = {"attributor.classifier.pretrained": False}
"""Weights drawn at random cost as much as trained ones."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print seconds per review and stage, for each number of reviews at once."""
    options = parse(arguments)
    keep_freed_memory()
    device = torch.device(options.device)
    autocast = choose_precision(options.precision, device)
    config = load_config(options.config, RANDOM, options.preset)
    torch.manual_seed(0)
    model = build_classifier(config.classifier).to(device).eval()
    attributor = build_attributor(config, model, device, autocast)
    assert isinstance(attributor, Attributor)
    ids = torch.randint(len(SPECIALS), VOCABULARY_SIZE, (options.reviews, options.tokens))
    attributor.estimate([ids.to(device)], len(ids))
    print(
        f"{options.config}, preset {options.preset}, {precision_name(autocast)}, "
        f"{torch.get_num_threads()} threads, {options.tokens} tokens"
    )
    for at_once in options.at_once:
        seconds = timed(attributor, ids.to(device), at_once)
        stages = ", ".join(f"{stage} {value:.2f} s" for stage, value in seconds.items())
        print(f"{at_once:3d} at once: {sum(seconds.values()):.2f} s per review ({stages})")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reviews", description=__doc__)
    parser.add_argument("--config", default="configs/deep_lstm.py")
    parser.add_argument("--preset", default="fast", choices=["fast", "paper"])
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--reviews", type=int, default=8)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--device", default="cpu")
    return parser.parse_args(arguments)


def timed(attributor: Attributor, ids: Tensor, at_once: int) -> dict[str, float]:
    """Return wall seconds per review of the stages, and of what lies between them."""
    records = []
    start = time.perf_counter()
    for batch in torch.split(ids, at_once):
        records += attributor.attribute(batch)
    wall = (time.perf_counter() - start) / len(ids)
    good = [record for record in records if isinstance(record, Attribution)]
    if len(good) < len(records):
        raise SystemExit(f"Only {len(good)} of {len(records)} reviews could be explained.")
    seconds = {stage: sum(r.seconds[stage] for r in good) / len(good) for stage in STAGES}
    return seconds | {"rest": wall - sum(seconds.values())}


if __name__ == "__main__":
    main()
