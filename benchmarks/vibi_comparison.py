"""Compare trained explainers with InputIBA and random maps on the same black box and pictures.

    python -m benchmarks.vibi_comparison CHECKPOINT [CHECKPOINT ...] [--samples N] [--k K ...]

Checkpoints are `best.pth` of runs of tools/vibi/train.py with one black box. InputIBA has the
parameters of the preset `fast`. Maps are scored by insertion and deletion, and by rationale
fidelity: the share of pictures for which the black box says the same about the k hottest chunks as
about the whole picture.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from benchmarks.vibi_methods import (
    Compared,
    Explained,
    at_random,
    by_input_iba,
    by_vibi,
    choose_pictures,
    load,
)
from input_iba.drawing import Grid, as_markdown, as_plain
from input_iba.evaluation import Summary, insertion_deletion, paired_difference, summarise
from input_iba.run.device import keep_freed_memory
from input_iba.vibi import ChunkGrid, hard_top_k

AREAS = ("insertion", "deletion", "insertion − deletion")
OURS, FEATURES, CHANCE = "InputIBA, preset fast", "its feature masks (IBA)", "random"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, and write it where asked to."""
    options = parse(arguments)
    keep_freed_memory()
    torch.manual_seed(options.seed)
    device = torch.device(options.device)
    loaded = load(options.checkpoints, device)
    first = next(iter(loaded.values()))
    compared = choose_pictures(
        first, options.samples, options.min_probability, options.seed, device
    )
    methods = {name: by_vibi(found, compared) for name, found in loaded.items()}
    both = by_input_iba(options.layer, compared, options.alone, options.seed)
    methods |= dict(zip((OURS, FEATURES), both, strict=True))
    methods[CHANCE] = at_random(compared, options.seed)
    grid = first.vibi.chunks
    assert isinstance(grid, ChunkGrid)
    ks = sorted(set(options.k or [first.vibi.k]))
    scores = {name: score(found, compared, grid, ks) for name, found in methods.items()}
    trained = {path.parent.name: training_seconds(path) for path in options.checkpoints}
    shown = table(methods, scores, trained, len(compared.pictures), grid)
    print(as_plain(shown))
    if options.markdown:
        options.markdown.write_text(as_markdown(shown) + "\n")
    if options.json:
        content = as_json(options, methods, scores, trained)
        options.json.write_text(json.dumps(content, indent=2) + "\n")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.vibi_comparison", description=__doc__
    )
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT")
    parser.add_argument("--layer", default="features.3", help="of the feature bottleneck")
    parser.add_argument("--samples", type=int, default=50, help="test pictures")
    parser.add_argument("--alone", type=int, default=10, help="of them InputIBA times alone")
    parser.add_argument("--min-probability", type=float, default=0.6, help="of the prediction")
    parser.add_argument("--k", type=int, nargs="+", help="chunks shown; default: the first's own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--markdown", type=Path, help="write the table here")
    parser.add_argument("--json", type=Path, help="write every score here")
    return parser.parse_args(arguments)


Scores = Mapping[str, Tensor]
"""One value per picture, by metric."""


def score(found: Explained, compared: Compared, grid: ChunkGrid, ks: Sequence[int]) -> Scores:
    """Score maps by insertion, deletion, and rationale fidelity at some numbers of chunks."""
    heats = found.heats.to(compared.pictures.device)
    inputs = compared.black_box.inputs_of(compared.pictures)
    with torch.no_grad(), compared.black_box.frozen():
        areas = insertion_deletion(
            compared.black_box.classifier, inputs, heats, compared.targets.tolist(), grid.size**2
        )
        scores = {
            name: values.cpu()
            for name, values in zip(
                AREAS, (areas.insertion_auc, areas.deletion_auc, areas.difference), strict=True
            )
        }
        for k in ks:
            shown = hard_top_k(heat_of_chunks(heats, grid), k)
            reacted = compared.black_box.log_probabilities(
                grid.hide(compared.pictures, shown[:, None])
            )
            scores[f"rationale, k = {k}"] = (reacted.argmax(1) == compared.targets).double().cpu()
    return scores


def heat_of_chunks(heats: Tensor, grid: ChunkGrid) -> Tensor:
    """Average maps (S, H, W) over the pixels of each chunk, (S, N); the same for every colour."""
    ids = grid.upsample(torch.arange(grid.count, dtype=torch.float32, device=heats.device))
    places = ids.long().flatten(1).expand(len(heats), -1, -1)
    values = heats.flatten(1)[:, None].expand(places.shape)
    sums = heats.new_zeros(len(heats), grid.count)
    sums = sums.scatter_add(1, places.flatten(1), values.flatten(1))
    sizes = torch.bincount(ids.long().flatten(), minlength=grid.count)
    return sums / sizes


def training_seconds(checkpoint: Path) -> float | None:
    """Return what the training of an explainer took, if its run left it beside the checkpoint."""
    results = checkpoint.parent / "results.json"
    if not results.is_file():
        return None
    return float(json.loads(results.read_text(encoding="utf-8"))["seconds"])


def table(
    methods: Mapping[str, Explained],
    scores: Mapping[str, Scores],
    trained: Mapping[str, float | None],
    count: int,
    grid: ChunkGrid,
) -> Grid:
    """Lay out means with 95 % intervals, and costs."""
    metrics = list(next(iter(scores.values())))
    head = ["maps of", *metrics, "ms, alone", f"ms, {count} at once", "s, once"]
    rows = []
    for name, found in methods.items():
        cells = [_mean(metric, scores[name][metric]) for metric in metrics]
        alone = f"{median(found.alone):.1f}" if found.alone else "–"
        once = trained.get(name, found.once)
        costs = [alone, f"{found.together:.2f}" if found.alone else "–"]
        rows.append([name, *cells, *costs, "–" if once is None else f"{once:.0f}"])
    note = (
        f"{count} test pictures, chunks of {grid.size}×{grid.size} pixels; 95 % bootstrap "
        "intervals. Deletion: lower is better, else higher. Maps of explainers tie within chunks. "
        "'s, once': training of black box (where it was not there yet), explainer and "
        f"approximator; statistics of the layer for InputIBA. {_differences(scores)}"
    )
    return Grid("VIBI and InputIBA on the same black box", head, rows, note=note)


def _mean(metric: str, values: Tensor) -> str:
    found = summarise(values.tolist())
    if metric.startswith("rationale"):
        return f"{100 * found.mean:.0f} %{_interval(found, 100, 0)}"
    return f"{found.mean:.3f}{_interval(found, 1, 3)}"


def _interval(found: Summary, scale: float, digits: int) -> str:
    if found.low is None or found.high is None:
        return ""
    return f" ({scale * found.low:.{digits}f}, {scale * found.high:.{digits}f})"


def _differences(scores: Mapping[str, Scores]) -> str:
    """Say how far each explainer lies from InputIBA."""
    told = []
    for name, own in scores.items():
        if name in (OURS, FEATURES, CHANCE):
            continue
        gap = paired_difference(own[AREAS[2]].tolist(), scores[OURS][AREAS[2]].tolist())
        told.append(f"{AREAS[2]} of {name} minus InputIBA's: {gap.mean:+.3f}{_interval(gap, 1, 3)}")
    return "; ".join(told) + "."


def as_json(
    options: argparse.Namespace,
    methods: Mapping[str, Explained],
    scores: Mapping[str, Scores],
    trained: Mapping[str, float | None],
) -> dict[str, Any]:
    """Return everything that was found as plain data."""
    return {
        "options": {key: str(value) for key, value in vars(options).items()},
        "methods": {
            name: {
                "scores": {metric: values.tolist() for metric, values in scores[name].items()},
                "summary": {m: asdict(summarise(v.tolist())) for m, v in scores[name].items()},
                "milliseconds_alone": found.alone,
                "milliseconds_together": found.together,
                "seconds_once": trained.get(name, found.once),
            }
            for name, found in methods.items()
        },
    }


if __name__ == "__main__":
    main()
