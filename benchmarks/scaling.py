"""Time the statistics of a layer, and watch memory over many samples.

    python -m benchmarks.scaling [--model NAME] [--images N] [--samples N] [--json FILE]

Statistics: seconds to estimate them over N images, against the classifier's own forward pass over
the same images in the same precision. Memory: the most that the process ever held after 10, 20,
40, … samples, each explained with one step of every optimisation, which needs as much memory as
ten.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.meters import PeakMemory
from benchmarks.setups import CASES, Setup, from_name
from input_iba.core.precision import choose_precision
from input_iba.run.device import keep_freed_memory

AT_ONCE = 16
"""Images per forward pass, as in a run."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the times of the statistics, and the peak memory as samples go by."""
    options = parse(arguments)
    keep_freed_memory()
    device = torch.device(options.device)
    setup = from_name(options.model, None, device)
    found: dict[str, object] = {"model": options.model}
    if options.images:
        ours, plain = time_statistics(setup, options.images)
        found |= {"images": options.images, "statistics": ours, "forward": plain}
        print(
            f"{options.model}: statistics of {options.images} images {ours:.2f} s, classifier's "
            f"own forward pass {plain:.2f} s: {ours / plain:.2f} times"
        )
    if options.samples:
        found["peak_mib"] = peaks = watch_memory(setup, options.samples)
        for count, peak in peaks.items():
            print(f"{options.model}: after {count:4} samples at most {peak:6.0f} MiB")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--model", default="efficientnet_lite0", choices=list(CASES))
    parser.add_argument("--images", type=int, default=600, help="of the statistics; 0 for none")
    parser.add_argument("--samples", type=int, default=0, help="to explain while memory is watched")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args(arguments)


def time_statistics(setup: Setup, images: int, repeats: int = 2) -> tuple[float, float]:
    """Return the least seconds of the statistics, and of plain forward passes, taken in turn."""
    autocast = choose_precision("auto", setup.device)
    attributor = setup.attributor("fast", autocast)
    batch = setup.estimation[:AT_ONCE]
    sizes = [min(AT_ONCE, images - start) for start in range(0, images, AT_ONCE)]
    seconds: dict[str, list[float]] = {"statistics": [], "forward": []}
    for _ in range(repeats):
        start = time.perf_counter()
        attributor.estimate((batch[:size] for size in sizes), images)
        seconds["statistics"].append(time.perf_counter() - start)
        start = time.perf_counter()
        with torch.no_grad(), torch.autocast(setup.device.type, autocast, autocast is not None):
            for size in sizes:
                setup.model(batch[:size].contiguous(memory_format=torch.channels_last))
        seconds["forward"].append(time.perf_counter() - start)
    return min(seconds["statistics"]), min(seconds["forward"])


def watch_memory(setup: Setup, samples: int) -> dict[int, float]:
    """Explain samples one after the other; return the peak in MiB by the number done."""
    config = setup.configs["fast"]
    attributor = setup.attributor("fast", choose_precision("auto", setup.device))
    attributor.feature_iba = replace(config.feature_iba, opt_steps=1)
    attributor.input_iba = replace(config.input_iba, opt_steps=1)
    attributor.estimate([setup.estimation], len(setup.estimation))
    peak = PeakMemory(setup.device)
    peak.start()
    peaks: dict[int, float] = {}
    for count in range(1, samples + 1):
        attributor.attribute(setup.images[:1], ids=[str(count)])
        if count == samples or count in (1, 10, 20, 50, 100):
            peaks[count] = peak.mebibytes()
    return peaks


if __name__ == "__main__":
    main()
