"""Compare masks of several work directories by insertion and deletion.

    python -m benchmarks.faithfulness CONFIG --work-dir DIR [DIR ...]

The samples and the classifier come from the config. Only samples of which every work directory has
a mask count, so that the directories are compared on the same ones.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.insertion_deletion import insertion_deletion
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.engine.config import load_config
from input_iba.engine.loading import read_batches
from input_iba.models import build_classifier
from input_iba.records import Failure, Sample

Areas = dict[str, list[tuple[float, float]]]
"""Insertion and deletion areas of every sample, by the name of what gave the masks."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print means, and differences from the first work directory sample by sample."""
    options = parse(arguments)
    config = load_config(options.config)
    device = torch.device(options.device)
    model = build_classifier(config.classifier).to(device).eval()
    classify = classifier_in(model, device, options.precision)
    samples = usable(build_dataset(config.attribution_data), options.work_dir, options.masks)
    areas: Areas = {name: [] for name in [*map(str, options.work_dir), "random"]}
    for number, sample in enumerate(samples):
        if number == options.limit:
            break
        x = sample.input.to(device)
        target = sample.target
        if target is None:
            with torch.no_grad():
                target = int(classify(x[None]).argmax())
        for name, heat in heats(sample, options.work_dir, options.masks):
            found = insertion_deletion(classify, x, heat, target, options.steps)
            areas[name].append(found)
    if not areas["random"]:
        raise SystemExit(f"No sample has a mask in '{options.masks}' of every work directory.")
    print(table(areas))
    if options.json:
        options.json.write_text(json.dumps({"config": str(options.config), "areas": areas}))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faithfulness", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--work-dir", type=Path, nargs="+", required=True)
    parser.add_argument("--masks", default="input_masks", choices=["input_masks", "feat_masks"])
    parser.add_argument("--steps", type=int, default=224, help="steps from no pixel to all")
    parser.add_argument("--limit", type=int, help="use at most so many samples")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", choices=["float32", "bf16"])
    parser.add_argument("--json", type=Path, help="write the areas of every sample here")
    return parser.parse_args(arguments)


def classifier_in(
    model: nn.Module, device: torch.device, precision: str
) -> Callable[[Tensor], Tensor]:
    """Return the classifier's forward pass in a precision, with float32 logits."""
    autocast = torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()

    def classify(inputs: Tensor) -> Tensor:
        with autocast:
            logits: Tensor = model(inputs)
        return logits.float()

    return classify


def mask_file(work_dir: Path, masks: str, sample_id: str) -> Path:
    """Return where a run stores the mask of a sample."""
    return work_dir / masks / f"{sample_id}.npz"


def usable(dataset: SampleDataset, work_dirs: Sequence[Path], masks: str) -> Iterator[Sample]:
    """Yield the samples of which every work directory has a mask."""
    wanted = [
        [index]
        for index, name in enumerate(dataset.ids)
        if all(mask_file(folder, masks, name).is_file() for folder in work_dirs)
    ]
    for (item,) in read_batches(dataset, wanted):
        if isinstance(item, Failure):
            print(f"{item.id} is left out: {item.reason}", file=sys.stderr)
        else:
            yield item


def heats(sample: Sample, work_dirs: Sequence[Path], masks: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the heat maps of one sample, a random one last."""
    for folder in work_dirs:
        with np.load(mask_file(folder, masks, sample.id)) as stored:
            yield str(folder), torch.from_numpy(stored["mask"])
    generator = torch.Generator().manual_seed(0)
    yield "random", torch.rand(sample.input.shape[-2:], generator=generator)


def table(areas: Areas) -> str:
    """Write mean areas, and mean differences from the first row with their standard errors."""
    first = torch.tensor(next(iter(areas.values())), dtype=torch.float64)
    lines = [f"{len(first)} samples; insertion: higher is better, deletion: lower is better"]
    lines.append(f"{'masks of':40} {'insertion':>9} {'deletion':>9}   against the first row")
    for name, values in areas.items():
        both = torch.tensor(values, dtype=torch.float64)
        means, difference = both.mean(0), both - first
        line = f"{name[-40:]:40} {means[0]:9.4f} {means[1]:9.4f}"
        if len(both) > 1 and difference.abs().max() > 0:
            error = difference.std(0) / math.sqrt(len(both))
            shift = difference.mean(0)
            line += f"   {shift[0]:+.4f} ± {error[0]:.4f}, {shift[1]:+.4f} ± {error[1]:.4f}"
        lines.append(line)
    return "\n".join(lines)


if __name__ == "__main__":
    main()
