"""Time the explanation of images, by the package and the way the published code runs it.

    python -m benchmarks.attribution [--model NAME | --config CONFIG] [--json FILE]

All ways get the same classifier and images, in one run on one machine.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.meters import PeakMemory, counted
from benchmarks.passes import seconds_of_passes
from benchmarks.published_cost import Parameters, StageCost, make_problem, published_cost
from benchmarks.setups import CASES, Setup, from_config, from_name
from input_iba.attribution import Attributor
from input_iba.core.precision import choose_precision, precision_name
from input_iba.records import Attribution
from input_iba.registry import PRIORS, build
from input_iba.run.device import keep_freed_memory

STAGES = ("feature_iba", "prior", "input_iba")
WAYS = ("published", "paper", "fast", "fast, one at a time", "fast, passes alone")


@dataclass(frozen=True)
class Row:
    """One way of running the method: seconds per sample and stage, MiB, rows per sample."""

    name: str
    seconds: dict[str, float]
    peak_mib: float
    rows: str
    note: str = ""

    @property
    def total(self) -> float:
        """Seconds of the three stages."""
        return sum(self.seconds.values())


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line per way of running the method."""
    options = parse(arguments)
    device = torch.device(options.device)
    if options.config:
        setup = from_config(options.config, options.samples, device)
        ways: Sequence[str] = WAYS[:3]
    else:
        setup = from_name(options.model, options.samples, device)
        ways = CASES[options.model].ways
    rows = [measure(setup, way, options) for way in options.ways or ways]
    header = describe(setup)
    print(f"{header}\n{table(rows, options.stages)}\n")
    if options.json:
        found = {"setup": header, "rows": [asdict(row) | {"total": row.total} for row in rows]}
        options.json.write_text(json.dumps(found, indent=2))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution", description=__doc__)
    parser.add_argument("--model", default="efficientnet_lite0", choices=list(CASES))
    parser.add_argument("--config", type=Path, help="classifier and images from a config")
    parser.add_argument("--ways", nargs="+", choices=WAYS, help="default: those that take minutes")
    parser.add_argument("--samples", type=int, help="explained at once (default: as the case says)")
    parser.add_argument("--steps-timed", type=int, default=2, help="of each stage, published way")
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--stages", action="store_true", help="print seconds per stage, and rows")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args(arguments)


def measure(setup: Setup, way: str, options: argparse.Namespace) -> Row:
    """Time one way."""
    if way == "published":
        return baseline(setup, options.steps_timed)
    keep_freed_memory()  # as the commands do; the published way runs before that
    autocast = choose_precision(options.precision, setup.device)
    preset, _, kind = way.partition(", ")
    if kind == "passes alone":
        return floor(setup, preset, autocast, at_once=len(setup.images))
    return ours(setup, preset, autocast, at_once=1 if kind else len(setup.images))


def baseline(setup: Setup, timed: int) -> Row:
    """Time the published way, scaled up from a few steps of each stage."""
    config = setup.configs["paper"]
    parameters = Parameters(config.feature_iba, build(PRIORS, config.prior), config.input_iba)
    peak = PeakMemory(setup.device)
    problem = make_problem(setup.model, setup.layer, setup.images[:1], setup.estimation)
    gc.collect()
    peak.start()
    costs = published_cost(problem, parameters, timed)
    forward = sum(cost.forward for cost in costs.values())
    backward = sum(cost.backward for cost in costs.values())
    rows = f"{forward} forward, {backward} backward, all of them whole"
    seconds = {stage: costs[stage].seconds for stage in STAGES}
    return Row("published way, fp32", seconds, peak.mebibytes(), rows, extrapolation(costs))


def extrapolation(costs: dict[str, StageCost]) -> str:
    """Say how much of the baseline was run."""
    parts = [f"{costs[stage].timed} of {costs[stage].total} ({stage})" for stage in STAGES]
    return f"extrapolated from timed steps: {', '.join(parts)}"


def ours(setup: Setup, preset: str, autocast: torch.dtype | None, at_once: int) -> Row:
    """Time the package, in full, `at_once` samples at a time."""
    attributor = setup.attributor(preset, autocast)
    attributor.estimate([setup.estimation], len(setup.estimation))
    batches = torch.split(setup.images, at_once)
    attributor.attribute(batches[0])  # the first fetches memory, chooses kernels; runs have many
    peak = PeakMemory(setup.device)
    gc.collect()
    peak.start()
    with counted(setup.model, setup.images[:1]) as passes:
        seconds, wall = timed(attributor, batches)
    counts = {name: count / len(setup.images) for name, count in vars(passes).items()}
    rows = (
        f"{counts['forward_first']:.0f} forward at the first module, "
        f"{counts['forward_last']:.0f} at the last; {counts['backward_last']:.0f} backward at the "
        f"last, {counts['backward_first']:.0f} at the first"
    )
    name = f"{preset}, {precision_name(autocast)}, {at_once} at once"
    return Row(name, seconds, peak.mebibytes(), rows, f"wall {wall:.2f} s per sample")


def timed(attributor: Attributor, batches: Sequence[Tensor]) -> tuple[dict[str, float], float]:
    """Explain batches; return seconds per sample of each stage, and wall seconds per sample."""
    records = []
    start = time.perf_counter()
    for batch in batches:
        records += attributor.attribute(batch)
    wall = time.perf_counter() - start
    good = [record for record in records if isinstance(record, Attribution)]
    if len(good) < len(records):
        raise SystemExit(f"Only {len(good)} of {len(records)} samples could be explained.")
    seconds = {stage: sum(r.seconds[stage] for r in good) / len(good) for stage in STAGES}
    return seconds, wall / len(good)


def floor(setup: Setup, preset: str, autocast: torch.dtype | None, at_once: int) -> Row:
    """Time the classifier's passes without the bottlenecks around them."""
    peak = PeakMemory(setup.device)
    gc.collect()
    peak.start()
    seconds = seconds_of_passes(setup, preset, autocast, at_once)
    name = f"  its passes alone, {at_once} at once"
    return Row(name, seconds, peak.mebibytes(), "as above", "what no saving around them can beat")


def describe(setup: Setup) -> str:
    """Name what is timed, and where."""
    where = f"{torch.get_num_threads()} CPU threads"
    if setup.device.type == "cuda":
        where = torch.cuda.get_device_name(setup.device)
    size = "×".join(map(str, setup.images.shape[1:]))
    return f"{setup.name}, layer {setup.layer}, input {size}, {where}, torch {torch.__version__}"


def table(rows: Sequence[Row], stages: bool) -> str:
    """Write seconds per sample, how many times faster than the first row, and memory."""
    shown = STAGES if stages else ()
    heads = (*shown, "seconds", "times", "peak MiB")
    lines = [f"{'':30}" + "".join(f"{head:>12}" for head in heads)]
    for row in rows:
        figures = [f"{row.seconds[stage]:12.2f}" for stage in shown]
        figures += [f"{row.total:12.2f}", f"{rows[0].total / row.total:12.1f}"]
        lines.append(f"{row.name:30}{''.join(figures)}{row.peak_mib:12.0f}")
        if stages:
            lines.append(f"    {row.rows}")
        if row.note:
            lines.append(f"    {row.note}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
