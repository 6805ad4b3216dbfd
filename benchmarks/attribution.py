"""Time the explanation of one image, by the package and the way the published code runs it.

    python -m benchmarks.attribution [--model NAME | --config CONFIG] [--stages] [--json FILE]

Both get the same classifier, image and parameters, in one run on one machine.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.meters import PeakMemory, counted
from benchmarks.published_cost import Parameters, StageCost, make_problem, published_cost
from input_iba.attribution import Attributor
from input_iba.datasets import build_dataset
from input_iba.engine.config import load_config
from input_iba.models import build_classifier
from input_iba.records import Attribution
from input_iba.registry import PRIORS, build

MODELS: dict[str, tuple[dict[str, Any], str]] = {
    "efficientnet_lite0": (
        {"source": "efficientnet_lite", "type": "efficientnet_lite0", "pretrained": True},
        "_blocks.10",
    ),
    "vgg16": ({"source": "torchvision", "type": "vgg16", "pretrained": False}, "features.17"),
}
"""Classifier and layer by name; VGG16 with random weights, which cost as much as trained ones."""

STAGES = ("feature_iba", "prior", "input_iba")


@dataclass(frozen=True)
class Setup:
    """What is timed: classifier, layer, image (1, C, H, W), estimation images, parameters."""

    name: str
    model: nn.Module
    layer: str
    x: Tensor
    estimation: Tensor
    parameters: Parameters


@dataclass(frozen=True)
class Row:
    """One way of running the method: seconds per stage, MiB, rows through the classifier."""

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
    torch.manual_seed(0)
    setup = from_config(options) if options.config else from_name(options)
    setup = replace(setup, parameters=shortened(setup.parameters, options))
    rows = [baseline(setup, options.steps_timed)]
    rows += [ours(setup, precision) for precision in options.precision]
    header = describe(setup, options.device)
    print(header)
    print(table(rows, options.stages))
    if options.json:
        found = {"setup": header, "rows": [asdict(row) | {"total": row.total} for row in rows]}
        options.json.write_text(json.dumps(found, indent=2))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution", description=__doc__)
    parser.add_argument("--model", default="efficientnet_lite0", choices=sorted(MODELS))
    parser.add_argument("--config", type=Path, help="classifier, image, parameters from a config")
    parser.add_argument("--steps-timed", type=int, default=3, help="of each stage, published way")
    choices = ["float32", "bf16"]
    parser.add_argument("--precision", nargs="+", default=choices, choices=choices)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--stages", action="store_true", help="print seconds per stage")
    parser.add_argument("--json", type=Path, help="write the figures here")
    for name in ("epochs", "feature-steps", "input-steps"):
        parser.add_argument(f"--{name}", type=int, help="instead of the parameters' own")
    return parser.parse_args(arguments)


def from_name(options: argparse.Namespace) -> Setup:
    """Explain scikit-image's cat with the published parameters; crops of it give statistics."""
    from skimage import data

    cfg, layer = MODELS[options.model]
    cat = data.chelsea()  # type: ignore[no-untyped-call]
    picture = torch.from_numpy(cat).permute(2, 0, 1).float() / 127.5 - 1
    size = min(picture.shape[1:])
    left = (picture.shape[2] - size) // 2
    x = F.interpolate(picture[None, :, :, left : left + size], (224, 224), mode="area")
    tops = torch.randint(0, picture.shape[1] - 224, (16,)).tolist()
    lefts = torch.randint(0, picture.shape[2] - 224, (16,)).tolist()
    crops = [picture[:, t : t + 224, s : s + 224] for t, s in zip(tops, lefts, strict=True)]
    return on_device(
        Setup(options.model, build_classifier(cfg), layer, x, torch.stack(crops), Parameters()),
        torch.device(options.device),
    )


def from_config(options: argparse.Namespace) -> Setup:
    """Explain the first sample of a config; its first estimation samples give statistics."""
    config = load_config(options.config)
    estimation, attribution = map(build_dataset, (config.estimation_data, config.attribution_data))
    crops = torch.stack([estimation[i].input for i in range(min(16, len(estimation)))])
    parameters = Parameters(config.feature_iba, build(PRIORS, config.prior), config.input_iba)
    setup = Setup(
        *(options.config.stem, build_classifier(config.classifier), config.layer),
        *(attribution[0].input[None], crops, parameters),
    )
    return on_device(setup, torch.device(options.device))


def on_device(setup: Setup, device: torch.device) -> Setup:
    """Move a setup to where it is timed."""
    moved = (setup.model.to(device).eval(), setup.x.to(device), setup.estimation.to(device))
    return replace(setup, model=moved[0], x=moved[1], estimation=moved[2])


def shortened(parameters: Parameters, options: argparse.Namespace) -> Parameters:
    """Apply the options that set other counts than the parameters' own."""
    feature_iba, prior, input_iba = (getattr(parameters, stage) for stage in STAGES)
    return Parameters(
        replace(feature_iba, opt_steps=options.feature_steps or feature_iba.opt_steps),
        replace(prior, epochs=options.epochs or prior.epochs),
        replace(input_iba, opt_steps=options.input_steps or input_iba.opt_steps),
    )


def baseline(setup: Setup, timed: int) -> Row:
    """Time the published way, scaled up from a few steps of each stage."""
    peak = PeakMemory(setup.x.device)
    problem = make_problem(setup.model, setup.layer, setup.x, setup.estimation)
    gc.collect()
    peak.start()
    costs = published_cost(problem, setup.parameters, timed)
    forward = sum(cost.forward for cost in costs.values())
    backward = sum(cost.backward for cost in costs.values())
    rows = f"{forward} forward, {backward} backward, all of them whole"
    seconds = {stage: costs[stage].seconds for stage in STAGES}
    return Row("published way, float32", seconds, peak.mebibytes(), rows, extrapolation(costs))


def extrapolation(costs: dict[str, StageCost]) -> str:
    """Say how much of the baseline was run."""
    parts = [f"{costs[stage].timed} of {costs[stage].total} ({stage})" for stage in STAGES]
    return f"extrapolated from timed steps: {', '.join(parts)}"


def ours(setup: Setup, precision: str) -> Row:
    """Time the package, in full."""
    device = setup.x.device
    attributor = make_attributor(setup, setup.parameters, precision)
    statistics = attributor.estimate([setup.estimation], len(setup.estimation))
    if device.type == "cuda":  # let the libraries choose their kernels first
        once = Parameters(
            replace(setup.parameters.feature_iba, opt_steps=1),
            replace(setup.parameters.prior, epochs=1),
            replace(setup.parameters.input_iba, opt_steps=1),
        )
        warm = make_attributor(setup, once, precision)
        warm.statistics = statistics
        warm.attribute(setup.x)
    peak = PeakMemory(device)
    gc.collect()
    peak.start()
    with counted(setup.model, setup.x) as passes:
        start = time.perf_counter()
        (record,) = attributor.attribute(setup.x)
        wall = time.perf_counter() - start
    if not isinstance(record, Attribution):
        raise SystemExit(f"The image could not be explained: {record.reason}")
    rows = (
        f"{passes.forward_first} forward at the first module, {passes.forward_last} at the last; "
        f"{passes.backward_last} backward at the last, {passes.backward_first} at the first"
    )
    seconds = {stage: record.seconds[stage] for stage in STAGES}
    return Row(f"input_iba, {precision}", seconds, peak.mebibytes(), rows, f"wall {wall:.1f} s")


def make_attributor(setup: Setup, parameters: Parameters, precision: str) -> Attributor:
    """Build the package's pipeline for a setup."""
    return Attributor(
        setup.model,
        setup.layer,
        feature_iba=parameters.feature_iba,
        prior=parameters.prior,
        input_iba=parameters.input_iba,
        device=setup.x.device,
        autocast=torch.bfloat16 if precision == "bf16" else None,
    )


def describe(setup: Setup, device: str) -> str:
    """Name what is timed, and where."""
    where = f"{torch.get_num_threads()} CPU threads"
    if torch.device(device).type == "cuda":
        where = torch.cuda.get_device_name(torch.device(device))
    size = "×".join(map(str, setup.x.shape[1:]))
    return f"{setup.name}, layer {setup.layer}, input {size}, {where}, torch {torch.__version__}"


def table(rows: Sequence[Row], stages: bool) -> str:
    """Write seconds, ratio to the first row, and memory; with `stages` more of it."""
    shown = STAGES if stages else ()
    lines = [f"{'':24}" + "".join(f"{s:>12}" for s in (*shown, "total s", "ratio", "peak MiB"))]
    for row in rows:
        figures = [f"{row.seconds[stage]:12.1f}" for stage in shown]
        figures += [f"{row.total:12.1f}", f"{row.total / rows[0].total:12.3f}"]
        lines.append(f"{row.name:24}{''.join(figures)}{row.peak_mib:12.0f}")
        if stages:
            lines.append(f"    {row.rows}")
        if row.note:
            lines.append(f"    {row.note}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
