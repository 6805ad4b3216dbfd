"""Why training on soft masks with batch statistics collapses: `python -m benchmarks.vibi_collapse`.

Trains the same small networks with batch norm and with group norm, at a constant and at a falling
temperature, with and without the chunks of evaluation. The approximator is measured as training
sees it (relaxed samples, statistics of the batch) and as it is used (the k likeliest chunks,
running statistics).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn

from input_iba.engine.precision import choose_precision
from input_iba.engine.vibi.config import VibiConfig, load_vibi_config
from input_iba.engine.vibi.prepared import Prepared, prepare_pictures
from input_iba.vibi import ExplainedInputs, Vibi, VibiTrainer, measure_fidelity

CPU = torch.device("cpu")
BATCH = 250


def with_batch_norm(network: nn.Module) -> None:
    """Replace every group norm by a batch norm, in place."""
    for name, child in network.named_children():
        if isinstance(child, nn.GroupNorm):
            setattr(network, name, nn.BatchNorm2d(child.num_channels))
        else:
            with_batch_norm(child)


@torch.no_grad()
def as_trained(vibi: Vibi, data: ExplainedInputs, temperature: float) -> float:
    """Return the approximator's agreement on relaxed samples, statistics of the batch."""
    noise = torch.Generator().manual_seed(0)
    vibi.train()
    right = 0
    for inputs, expected in data.batches(BATCH):
        shown = vibi.sample(vibi.explain(inputs), temperature, 1, noise)
        found = vibi.approximate(vibi.chunks.hide(inputs, shown))
        right += int((found.argmax(1) == expected.argmax(1)).sum())
    return right / len(data)


VARIANTS: tuple[tuple[str, float, float], ...] = (
    ("batch", 0.7, 0.0),
    ("group", 0.7, 0.0),
    ("group", 0.1, 0.0),
    ("group", 0.1, 1.0),
)
"""Norm, temperature at the end, and weight of the chunks that evaluation shows."""


def measure(config: VibiConfig, norm: str) -> tuple[float, float]:
    """Train once; return the agreement as trained and as used."""
    ready: Prepared = prepare_pictures(config, CPU, choose_precision("auto", CPU), seed=0)
    if norm == "batch":
        with_batch_norm(ready.vibi)
    how = config.training
    trainer = VibiTrainer(ready.vibi, ready.black_box, ready.train, how, CPU)
    for epoch in range(how.epochs):
        trainer.train_epoch(epoch)
    soft = as_trained(ready.vibi, ready.test, how.final_temperature)
    hard = measure_fidelity(ready.vibi, ready.black_box, ready.test.batches(BATCH))
    return soft, hard.approximator


def main() -> None:
    """Measure all variants and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/vibi/mnist_unet_k16_beta0.py"))
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--num-train", type=int, default=6000)
    parser.add_argument("--num-test", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--black-box", default="", help="checkpoint of the black box")
    arguments = parser.parse_args()
    print("| norm | temperature | shown the top k | as trained | as used |\n|---|---|---|---|---|")
    for norm, final, weight in VARIANTS:
        options = {
            "data.root": arguments.data_root,
            "data.num_train": arguments.num_train,
            "data.num_test": arguments.num_test,
            "black_box.checkpoint": arguments.black_box,
            "training.epochs": arguments.epochs,
            "training.final_temperature": final,
            "training.top_k_weight": weight,
        }
        soft, hard = measure(load_vibi_config(arguments.config, options), norm)
        falls = "0.7" if final == 0.7 else f"0.7 → {final}"
        shown = "yes" if weight else "no"
        print(f"| {norm} | {falls} | {shown} | {soft:.1%} | {hard:.1%} |", flush=True)


if __name__ == "__main__":
    main()
