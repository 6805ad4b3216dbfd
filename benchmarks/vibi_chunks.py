"""Show trained networks more or fewer chunks than in training, and measure both fidelities.

python -m benchmarks.vibi_chunks CHECKPOINT --k 12 16 24
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from input_iba.core.precision import choose_precision
from input_iba.run.shell import Run
from input_iba.vibi import measure_fidelity
from input_iba.vibi.commands.prepared import load_vibi, read_samples


class AtRandom(nn.Module):
    """Chooses chunks at random, among those that an input has."""

    def __init__(self, explainer: nn.Module, seed: int = 0) -> None:
        super().__init__()
        self.explainer = explainer
        self.draws = torch.Generator().manual_seed(seed)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map inputs (B, …) to random logits (B, N), −∞ for chunks that an input does not have."""
        logits: Tensor = self.explainer(inputs).float()
        drawn = torch.rand(logits.shape, generator=self.draws).to(logits.device)
        return drawn.masked_fill(logits == float("-inf"), float("-inf"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row per number of chunks, over the test set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vibi_chunks", description=__doc__)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--k", type=int, nargs="+", required=True)
    parser.add_argument("--random", action="store_true", help="also of as many chunks at random")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    run = Run(device, choose_precision(options.precision, device))
    loaded = load_vibi(options.checkpoint, run)
    networks, chosen_by = loaded.networks, loaded.vibi.explainer
    test = loaded.kind.explained(networks, read_samples(loaded.kind).test)
    explainers = [chosen_by, AtRandom(chosen_by)] if options.random else [chosen_by]
    more = " approximator, at random | rationale, at random |" if options.random else ""
    print(f"| chunks | approximator | rationale |{more}\n|---{'|---|---' * len(explainers)}|")
    for k in options.k:
        networks.vibi.k = k
        cells = []
        for explainer in explainers:
            networks.vibi.explainer = explainer
            batches = test.batches(test.measured)
            found = measure_fidelity(networks.vibi, networks.black_box, batches)
            cells += [f"{found.approximator:.1%}", f"{found.rationale:.1%}"]
        print(f"| {k} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
