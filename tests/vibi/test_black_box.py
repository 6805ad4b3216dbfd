"""The black box sees hidden chunks as background, and may be taught to."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from input_iba.datasets.normalization import Normalize
from input_iba.models import ConvNet
from input_iba.training.classifier import Labelled
from input_iba.vibi import BlackBox, ChunkGrid
from input_iba.vibi.black_box import BlackBoxTrainer, BlackBoxTraining, hide_at_random


def test_a_hidden_chunk_is_background_before_the_normalisation() -> None:
    seen = []

    class Watch(nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            seen.append(inputs)
            return inputs.mean((2, 3))

    black_box = BlackBox(Watch(), Normalize((0.5,), (0.25,)))
    grid = ChunkGrid(4, 4, 2)
    masked = grid.hide(torch.ones(1, 3, 4, 4), torch.tensor([[[1.0, 0.0, 0.0, 0.0]]]))
    black_box.log_probabilities(masked)
    assert seen[0][0, 0, 0, 0] == 2.0
    assert seen[0][0, 0, 3, 3] == -2.0


def test_one_logit_counts_as_two_classes() -> None:
    class One(nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs[:, :1]

    found = BlackBox(One()).log_probabilities(torch.tensor([[2.0], [-30.0]]))
    assert found.exp().sum(1).tolist() == pytest.approx([1, 1])
    assert found[0, 1].exp().item() == pytest.approx(torch.tensor(2.0).sigmoid().item())
    assert bool(torch.isfinite(found).all())


def test_hidden_chunks_are_drawn_for_the_share_that_is_asked_for() -> None:
    pixels = torch.full((400, 1, 16, 16), 100.0)
    hidden = hide_at_random(pixels, 0.5, torch.Generator().manual_seed(0))
    touched = (hidden == 0).flatten(1).any(1).float().mean()
    assert 0.35 < touched < 0.55  # of those chosen, few keep all chunks by chance
    assert set(hidden.flatten().tolist()) == {0.0, 100.0}
    assert torch.equal(hide_at_random(pixels, 0.0, torch.Generator()), pixels)


def test_training_shows_hidden_chunks_and_mirrors_only_on_request() -> None:
    pixels = torch.zeros(32, 1, 8, 8, dtype=torch.uint8)
    pixels[..., :4] = 200
    data = Labelled(pixels, torch.zeros(32, dtype=torch.int64))

    def shown(**settings: float) -> torch.Tensor:
        trainer = BlackBoxTrainer(
            ConvNet(2, width=2, hidden=4),
            data,
            lambda x: x,
            BlackBoxTraining(**settings),  # type: ignore[arg-type]
            torch.device("cpu"),
        )
        return trainer.augmented(pixels, torch.Generator().manual_seed(0)).float()

    assert torch.equal(shown(), pixels.float())
    mirrored = shown(flip=True)
    assert bool((mirrored[..., 0] == 0).any()) and bool((mirrored[..., 0] == 200).any())
    assert bool((shown(hidden_chunks=1.0)[..., :4] == 0).any())
