"""Approximators of images answer for every class, whatever the images' size."""

from __future__ import annotations

import pytest
import torch

from input_iba.vibi import ApproximatorSettings, build_approximator


@pytest.mark.parametrize("size", ["small", "published"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 19, 23)])
def test_an_approximator_gives_a_logit_per_class(size: str, shape: tuple[int, int, int]) -> None:
    approximator = build_approximator(ApproximatorSettings(size, width=8), shape[0], 7)
    assert approximator(torch.rand(2, *shape)).shape == (2, 7)
