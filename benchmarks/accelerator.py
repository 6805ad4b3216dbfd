"""Check and time the explanation of images on an accelerator (CUDA or MPS), or what a CPU can tell.

    python -m benchmarks.accelerator [--device cuda] [--networks NAME …] [--json FILE]

Networks have random weights, which cost as much as trained ones; images are crops of a cat.
Printed are, of each network:

- parity: maps of this device beside those of the CPU in fp32, with the same noise;
- images per second of the preset, by batch size, the peak of memory, and by how many times more
  than the classifier's own passes it takes;
- time until the first map, when nothing is warm yet;
- the classifier's own passes when torch.compile has compiled it;
- where the loop would wait for the device, counted, and on CUDA the share of time in which it
  computes.

What cannot be had on this device is named at the end.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.devices import NETWORKS, Bench, Cost
from input_iba.attribution.presets import PRESETS
from input_iba.core.processor import processor
from input_iba.run.device import choose_device, keep_freed_memory

BATCHES = {"cpu": (1, 2), "cuda": (1, 4, 16, 64), "mps": (1, 4, 16)}
AIM = 1.15
"""Times the classifier's own passes that the whole may take."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, and what was left out."""
    options = parse(arguments)
    device, _ = choose_device(options.device)
    if options.device == "auto" and torch.backends.mps.is_available():
        device = torch.device("mps")
    keep_freed_memory()
    print(describe(device, options.preset))
    found: dict[str, object] = {"where": describe(device, options.preset)}
    left_out = list(not_here(device))
    for name in options.networks or (NETWORKS if device.type != "cpu" else NETWORKS[-1:]):
        bench = Bench.of(name, device, options.preset)
        found[name] = measured = measure(bench, options, left_out)
        print("\n".join(lines(name, measured)))
    if device.type == "cpu" and not options.networks:
        left_out.append(f"{' and '.join(NETWORKS[:-1])}: many seconds an image; --networks asks")
    print("Left out:" if left_out else "Nothing was left out.")
    print("\n".join(f"- {what}" for what in left_out))
    if options.json:
        found["left_out"] = left_out
        options.json.write_text(json.dumps(found, indent=2, default=asdict))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accelerator")
    parser.add_argument("--device", default="auto", help="auto takes a GPU where there is one")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS)
    parser.add_argument("--preset", default="fast", choices=list(PRESETS))
    parser.add_argument("--batch-sizes", nargs="+", type=int, help="default: by the device")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args(arguments)


def describe(device: torch.device, preset: str) -> str:
    """Say what was measured where."""
    where = f"{processor() or platform.machine()}, {torch.get_num_threads()} threads"
    if device.type == "cuda":
        where = torch.cuda.get_device_name(device)
    return f"{device.type}: {where}, torch {torch.__version__}, preset {preset}"


def not_here(device: torch.device) -> Iterator[str]:
    """Yield what this device cannot tell."""
    if device.type == "cpu":
        yield "an accelerator: torch finds none here, so parity compares bf16 with fp32 alone"
    if device.type != "cuda":
        yield "the share of time in which the device computes: a profile of CUDA"
    if device.type == "mps":
        yield "bf16, which --precision refuses on mps"


def measure(bench: Bench, options: argparse.Namespace, left_out: list[str]) -> dict[str, Any]:
    """Measure a network; add to `left_out` what could not be."""
    device = bench.device
    first = bench.seconds_until_the_first_map()
    costs = list[Cost]()
    for precision in bench.precisions:
        for size in options.batch_sizes or BATCHES[device.type]:
            try:
                costs.append(bench.cost(size, precision))
            except torch.OutOfMemoryError:
                left_out.append(f"{bench.name}, {precision}, {size} at once: out of memory")
    compiled = bench.seconds_of_compiled_passes()
    if isinstance(compiled, str):
        left_out.append(f"{bench.name} compiled: {compiled}")
        compiled = {}
    return {
        "parity": bench.parities(),
        "costs": costs,
        "first map, seconds": {"cold": first},
        "own passes, seconds an image": compiled,
        "waits a step": bench.waits_per_step(),
        "share of time computing": bench.busy(),
    }


def lines(name: str, found: dict[str, Any]) -> Iterator[str]:
    """Yield a table of one network."""
    yield f"\n{name}"
    for parity in found["parity"]:
        yield f"  {parity}"
    yield (
        f"  {'precision':10}{'at once':>8}{'images/s':>10}{'peak MiB':>10}{'× own passes':>14}"
        f"  (aim: {AIM})"
    )
    for cost in found["costs"]:
        yield f"  {cost}"
    for title, values in list(found.items())[2:]:
        shown = ", ".join(f"{key} {value:.3g}" for key, value in values.items()) or "none"
        yield f"  {title}: {shown}"


if __name__ == "__main__":
    main()
