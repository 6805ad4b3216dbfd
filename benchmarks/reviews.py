"""Time the explanation of reviews of one length, alone and in batches.

    python -m benchmarks.reviews [--config CONFIG] [--tokens 200] [--reviews 8]

The words are drawn at random: what a review says does not change what its explanation costs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch

from benchmarks.attribution import timed
from benchmarks.setups import RANDOM
from input_iba.attribution import Attributor
from input_iba.config.build import build_attributor
from input_iba.config.load import load_config
from input_iba.core.precision import choose_precision, precision_name
from input_iba.datasets.vocabulary import SPECIALS
from input_iba.models import build_classifier
from input_iba.models.deep_lstm import VOCABULARY_SIZE
from input_iba.run.device import keep_freed_memory


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
        seconds, wall = timed(attributor, torch.split(ids.to(device), at_once))
        parts = seconds | {"rest": wall - sum(seconds.values())}
        stages = ", ".join(f"{part} {value:.2f} s" for part, value in parts.items())
        print(f"{at_once:3d} at once: {wall:.2f} s per review ({stages})")


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


if __name__ == "__main__":
    main()
