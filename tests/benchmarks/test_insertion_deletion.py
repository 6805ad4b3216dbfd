"""Insertion and deletion areas on classifiers whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from benchmarks.insertion_deletion import insertion_deletion, ranks

SIZE = (6, 8)


def share_of_ones(inputs: Tensor) -> Tensor:
    """Logits whose softmax for class 1 is the share of ones, for inputs of ones and zeros."""
    share = inputs.mean((1, 2, 3)).clamp(1e-9, 1 - 1e-9)
    return torch.stack([(1 - share).log(), share.log()], 1)


def patch_detector(inputs: Tensor) -> Tensor:
    """Logits that know class 1 by the brightness of the top left 2×2 patch alone."""
    evidence = 20 * inputs[:, 0, :2, :2].mean((1, 2)) - 10
    return torch.stack([-evidence, evidence], 1)


def test_ranks_keep_reading_order_in_ties() -> None:
    assert ranks(torch.zeros(2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert ranks(torch.tensor([[0.0, 2.0], [1.0, 2.0]])).tolist() == [[3, 0], [2, 1]]


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_areas_of_a_linear_probability(batch_size: int) -> None:
    x = torch.ones(1, *SIZE, dtype=torch.float64)
    insertion, deletion = insertion_deletion(
        share_of_ones, x, torch.rand(SIZE), target=1, steps=12, batch_size=batch_size
    )
    assert deletion == pytest.approx(0.5, abs=1e-6)  # falls from 1 to 0 on a straight line
    assert insertion == pytest.approx(1.0, abs=1e-6)  # a blurred constant is the constant


def test_the_right_heat_map_beats_the_wrong_one() -> None:
    x = torch.zeros(1, 16, 16)
    x[:, :2, :2] = 1
    right = torch.zeros(16, 16)
    right[:2, :2] = 1
    good = insertion_deletion(patch_detector, x, right, 1, steps=64)
    bad = insertion_deletion(patch_detector, x, -right, 1, steps=64)
    assert good[0] > 0.95
    assert bad[0] < 0.05
    assert good[1] < 0.05
    assert bad[1] > 0.95


def test_more_steps_than_pixels_change_nothing() -> None:
    x = torch.rand(1, *SIZE, dtype=torch.float64)
    heat = torch.rand(SIZE)
    exact = insertion_deletion(patch_detector, x, heat, 1, steps=48)
    assert insertion_deletion(patch_detector, x, heat, 1, steps=480) == pytest.approx(exact)
