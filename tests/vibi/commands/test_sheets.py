"""A run draws what it chose, and the curves of its training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from input_iba.drawing.vibi_images import AGREES
from input_iba.vibi import BlackBox, ChunkGrid, Vibi
from input_iba.vibi.commands.sheets import chunk_map, write_curves, write_sheets

GRID = ChunkGrid(8, 8, 4)


class Fixed(torch.nn.Module):
    """Always the same logits."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits = torch.nn.Parameter(torch.tensor(logits))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(inputs), -1)


def test_five_pictures_are_drawn_and_the_networks_come_back_as_they_were(tmp_path: Path) -> None:
    vibi = Vibi(Fixed([0.0, 9.0, 0.0, 0.0]), Fixed([3.0, 0.0]), GRID, 1).train()
    black_box = BlackBox(Fixed([3.0, 0.0]).train())
    pixels = torch.full((4, 1, 8, 8), 200, dtype=torch.uint8)
    folder = tmp_path / "new" / "pictures"
    write_sheets(vibi, black_box, pixels, folder, ["cat", "dog"])
    names = ["distribution.png", "test_batch.png", "top_k.png", "top_k_black_box.png"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert vibi.training
    assert black_box.classifier.training
    with Image.open(folder / "top_k.png") as image:
        colours = {tuple(colour) for _, colour in image.convert("RGB").getcolors(1 << 20)}
    assert tuple(AGREES.tolist()) in colours  # equal predictions: full green


def test_a_map_gives_every_pixel_the_probability_of_its_chunk() -> None:
    found = chunk_map(ChunkGrid(6, 8, 4), torch.tensor([[0.1, 0.2, 0.3, 0.4]]))
    assert found.shape == (1, 6, 8)
    assert found[0, 0, 0] == pytest.approx(0.1)
    assert found[0, 5, 7] == pytest.approx(0.4)


def test_a_map_of_chunks_of_each_colour_sums_over_colours() -> None:
    values = torch.arange(6.0)[None]
    found = chunk_map(ChunkGrid(4, 8, 4, channels=3), values)
    assert found[0, 0].tolist() == [6.0] * 4 + [9.0] * 4


def test_curves_come_from_the_metrics_file(tmp_path: Path) -> None:
    rows = [{"epoch": i, "loss": 1 / i, "approximator_fidelity": 0.5} for i in (1, 2)]
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_curves(metrics, tmp_path / "pictures")
    with Image.open(tmp_path / "pictures" / "curves.png") as image:
        assert image.width > 1500  # two charts
