"""What the commands of VIBI draw of images: explanations side by side, and curves of a training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from input_iba.drawing.vibi_images import (
    write_distribution,
    write_test_batch,
    write_top_k,
    write_training_curves,
)
from input_iba.results import written_whole
from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.chunks import ChunkGrid
from input_iba.vibi.fidelity import choose_top_k
from input_iba.vibi.model import Vibi


@torch.no_grad()
def write_sheets(
    vibi: Vibi,
    black_box: BlackBox,
    inputs: Tensor,
    folder: Path,
    class_names: Sequence[str] | None = None,
    note: str = "",
) -> None:
    """Draw a batch, the explanation distribution, and the top-k explanation of each image.

    Frames of `top_k.png` say whether the approximator agrees with the black box, those of
    `top_k_black_box.png` whether the black box agrees with itself. Images (n, C, H, W) are uint8;
    titles of explanations end with `note`.
    """
    grid = vibi.chunks
    assert isinstance(grid, ChunkGrid)  # images fall into squares
    images = inputs.to(next(vibi.parameters()).device).float() / 255
    found = choose_top_k(vibi, black_box, images)
    with black_box.frozen():
        whole = black_box.log_probabilities(images).exp().cpu()
    drawn, masks = images.cpu(), grid.upsample(found.shown).cpu()
    with written_whole(folder / "test_batch.png") as aside:
        write_test_batch(aside, drawn)
    with written_whole(folder / "distribution.png") as aside:
        heat = chunk_map(grid, found.logits.softmax(1)).cpu()
        write_distribution(aside, drawn, heat, note=note)
    for name, who, answer in (
        ("top_k", "approximator", found.approximator),
        ("top_k_black_box", "black box", found.rationale),
    ):
        with written_whole(folder / f"{name}.png") as aside:
            write_top_k(aside, drawn, masks, whole, answer.exp().cpu(), class_names, who, note)


def chunk_map(grid: ChunkGrid, of_chunks: Tensor) -> Tensor:
    """Give every pixel (B, H, W) the value of its chunk (B, N), summed over colours."""
    return grid.upsample(of_chunks).sum(1)


def write_curves(metrics: Path, folder: Path, note: str = "") -> None:
    """Draw what `metrics.jsonl` holds over the epochs, as `curves.png`; a note is its title."""
    rows = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    with written_whole(folder / "curves.png") as aside:
        write_training_curves(aside, rows, title=note)
