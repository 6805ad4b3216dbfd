"""Structural similarity: the literal definition, scikit-image's, and known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import structural_similarity as skimage_similarity

from input_iba.errors import EvaluationError
from input_iba.evaluation import structural_similarity, unit_range
from tests.evaluation import literal

maps = arrays(np.float64, (9, 8), elements=st.floats(0, 1))


@given(maps, maps, st.sampled_from([1, 3, 7]))
def test_equals_the_literal_definition(
    first: literal.Array, second: literal.Array, window: int
) -> None:
    x, y = torch.from_numpy(first), torch.from_numpy(second)
    found = structural_similarity(x, y, window)
    assert found.item() == pytest.approx(literal.ssim(first, second, window), abs=1e-6)
    assert -1 <= found.item() <= 1 + 1e-9
    assert structural_similarity(y, x, window).item() == pytest.approx(found.item(), abs=1e-12)
    assert structural_similarity(x, x, window).item() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_equals_scikit_image(seed: int) -> None:
    draws = np.random.default_rng(seed)
    first = draws.random((30, 25))
    second = np.clip(0.6 * first + 0.4 * draws.random((30, 25)), 0, 1)
    expected = skimage_similarity(  # type: ignore[no-untyped-call]
        first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0
    )
    found = structural_similarity(torch.from_numpy(first), torch.from_numpy(second))
    assert found.item() == pytest.approx(expected, abs=1e-6)


def test_leading_dimensions_are_broadcast() -> None:
    first, second = torch.rand(3, 1, 12, 12), torch.rand(2, 12, 12)
    found = structural_similarity(first, second)
    assert found.shape == (3, 2)
    alone = structural_similarity(first[1, 0], second[1])
    assert found[1, 1].item() == pytest.approx(alone.item())


def test_known_answers() -> None:
    flat, one = torch.full((12, 12), 0.25), torch.ones(12, 12)
    # Without deviations the means alone count.
    expected = (2 * 0.25 + 1e-4) / (0.25**2 + 1 + 1e-4)
    assert structural_similarity(flat, one).item() == pytest.approx(expected)
    checks = (torch.arange(12)[:, None] + torch.arange(12)) % 2
    assert structural_similarity(checks, 1 - checks).item() < -0.9
    noise = torch.rand(2, 40, 40, generator=torch.Generator().manual_seed(0))
    assert abs(structural_similarity(noise[0], noise[1]).item()) < 0.1


@given(arrays(np.float64, (3, 4), elements=st.floats(-1e3, 1e3)))
def test_maps_are_scaled_to_the_unit_range(values: literal.Array) -> None:
    found = unit_range(torch.from_numpy(values))
    if values.max() > values.min():
        assert [found.min().item(), found.max().item()] == [0, 1]
    else:
        assert (found == 0).all()
    assert unit_range(torch.stack([found, found + 3]))[1].numpy() == pytest.approx(found.numpy())


@pytest.mark.parametrize("window", [0, 2, 13])
def test_impossible_windows_are_refused(window: int) -> None:
    with pytest.raises(EvaluationError, match="window"):
        structural_similarity(torch.rand(12, 20), torch.rand(12, 20), window)


def test_sizes_must_be_equal() -> None:
    with pytest.raises(EvaluationError, match="Resize"):
        structural_similarity(torch.rand(12, 20), torch.rand(20, 12))
