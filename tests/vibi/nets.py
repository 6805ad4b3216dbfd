"""A black box that reads one chunk of a picture, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.vibi import (
    ApproximatorSettings,
    BlackBox,
    ChunkGrid,
    ExplainedInputs,
    ExplainerSettings,
    Vibi,
    build_approximator,
    build_explainer,
)

GRID = ChunkGrid(height=8, width=8, size=4)


class ReadsOneChunk(nn.Module):
    """Says which half of the lower left chunk is brighter; cannot tell when it is hidden.

    Attributes:
        chunk: Its index: 2 of 0 to 3.
    """

    chunk = 2

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(10.0))
        self.dropout = nn.Dropout(0.5)

    def forward(self, pictures: Tensor) -> Tensor:
        left, right = (pictures[:, :, 4:, x : x + 2].mean((1, 2, 3)) for x in (0, 2))
        difference = self.sharpness * (left - right)
        logits: Tensor = self.dropout(torch.stack([-difference, difference], 1))
        return logits


def as_floats(pixels: Tensor) -> Tensor:
    return pixels.float() / 255


def planted(count: int, seed: int = 0) -> tuple[BlackBox, ExplainedInputs]:
    """Return a black box and pictures of four chunks, each with one half bright at random."""
    generator = torch.Generator().manual_seed(seed)
    left = torch.randint(0, 2, (count, 1, 2, 2, 1), generator=generator)
    halves = 40 + 170 * torch.cat([left, 1 - left], -1).flatten(3)
    pixels = halves.repeat_interleave(4, 2).repeat_interleave(2, 3)
    pixels = (pixels + torch.randint(-20, 20, pixels.shape, generator=generator)).byte()
    black_box = BlackBox(ReadsOneChunk())
    answers = black_box.in_batches(iter([as_floats(pixels)]))
    return black_box, ExplainedInputs(pixels, answers, as_floats)


def small_vibi(k: int = 1, seed: int = 0) -> Vibi:
    torch.manual_seed(seed)
    return Vibi(
        build_explainer(ExplainerSettings("ResNet_4x", width=8), 1, GRID),
        build_approximator(ApproximatorSettings(width=8), 1, 2),
        GRID,
        k,
    )
