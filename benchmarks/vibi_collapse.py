"""Why training on soft masks with batch statistics collapses: `python -m benchmarks.vibi_collapse`.

Trains the same small networks with batch norm and with group norm, at a constant and at a falling
temperature, with and without the chunks of evaluation. The approximator is measured as training
sees it (relaxed samples, statistics of the batch), as it is used (the k likeliest chunks, running
statistics), and with one of the two alone, which says which of them costs what.
"""

from __future__ import annotations

import argparse
import copy
import itertools
from pathlib import Path

import torch
from torch import nn

from input_iba.core.precision import choose_precision
from input_iba.run.shell import Run
from input_iba.vibi import ExplainedInputs, Vibi, VibiTrainer
from input_iba.vibi.commands.config import VibiConfig, load_vibi_config
from input_iba.vibi.commands.prepared import prepare

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
def agreement(vibi: Vibi, data: ExplainedInputs, temperature: float, batch: bool) -> float:
    """Return the approximator's agreement with the black box.

    Args:
        vibi: Explainer and approximator; their running statistics come back as they were.
        data: Pictures with the black box's answers.
        temperature: Of relaxed samples; 0 for the k likeliest chunks.
        batch: Normalise by the statistics of the batch, else by running ones.
    """
    noise = torch.Generator().manual_seed(0)
    kept = copy.deepcopy(vibi.state_dict())
    vibi.train(batch)
    right = 0
    for inputs, expected in data.batches(BATCH):
        logits = vibi.explain(inputs)
        if temperature:
            masked = vibi.chunks.hide(inputs, vibi.sample(logits, temperature, 1, noise))
        else:
            masked = vibi.only_top_k(inputs, logits)
        right += int((vibi.approximate(masked).argmax(1) == expected.argmax(1)).sum())
    vibi.load_state_dict(kept)
    return right / len(data)


VARIANTS: tuple[tuple[str, float, float], ...] = (
    ("batch", 0.7, 0.0),
    ("group", 0.7, 0.0),
    ("group", 0.1, 0.0),
    ("group", 0.1, 1.0),
)
"""Norm, temperature at the end, and weight of the chunks that evaluation shows."""


def measure(config: VibiConfig, norm: str) -> tuple[float, ...]:
    """Train once; return the agreement of soft and hard masks, by batch and running statistics."""
    ready = prepare(config, Run(CPU, choose_precision("auto", CPU)))
    vibi, black_box = ready.networks.vibi, ready.networks.black_box
    if norm == "batch":
        with_batch_norm(vibi)
    how = config.training
    trainer = VibiTrainer(vibi, black_box, ready.train, how, CPU)
    for epoch in range(how.epochs):
        trainer.train_epoch(epoch)
    ways = itertools.product((how.final_temperature, 0.0), (True, False))
    return tuple(agreement(vibi, ready.test, *way) for way in ways)


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
    print(
        "| norm | temperature | shown the top k | soft, batch (as trained) | soft, running |",
        end="",
    )
    print(" hard, batch | hard, running (as used) |\n|---|---|---|---|---|---|---|", flush=True)
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
        found = measure(load_vibi_config(arguments.config, options), norm)
        falls = "0.7" if final == 0.7 else f"0.7 → {final}"
        shown = "yes" if weight else "no"
        shares = " | ".join(f"{share:.1%}" for share in found)
        print(f"| {norm} | {falls} | {shown} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
