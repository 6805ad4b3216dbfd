"""Show trained networks more or fewer chunks than in training, and measure both fidelities.

python -m benchmarks.vibi_chunks CHECKPOINT --k 12 16 24
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from input_iba.core.precision import choose_precision
from input_iba.run.shell import Run
from input_iba.vibi import measure_fidelity
from input_iba.vibi.commands.prepared import load_vibi, read_samples

BATCH = 250


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row per number of chunks, over the test set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vibi_chunks", description=__doc__)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--k", type=int, nargs="+", required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    run = Run(device, choose_precision(options.precision, device))
    loaded = load_vibi(options.checkpoint, run)
    networks = loaded.networks
    test = loaded.kind.explained(networks, read_samples(loaded.kind).test)
    print("| chunks | approximator | rationale |\n|---|---|---|")
    for k in options.k:
        networks.vibi.k = k
        found = measure_fidelity(networks.vibi, networks.black_box, test.batches(BATCH))
        print(f"| {k} | {found.approximator:.1%} | {found.rationale:.1%} |", flush=True)


if __name__ == "__main__":
    main()
