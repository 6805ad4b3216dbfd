"""Gaussian smoothing: what it keeps, and that it is a convolution with reflection."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from input_iba.core.smoothing import LONGEST_MATRIX, gaussian_matrix, gaussian_smooth


@given(st.integers(1, 40), st.floats(0.2, 6))
def test_rows_are_weights(size: int, sigma: float) -> None:
    matrix = gaussian_matrix(size, sigma)
    assert matrix.shape == (size, size)
    assert (matrix >= 0).all()
    torch.testing.assert_close(matrix.sum(1), torch.ones(size, dtype=torch.float64))


@given(st.floats(0, 1), st.integers(1, 9), st.integers(1, 9))
def test_a_flat_mask_stays_flat(value: float, height: int, width: int) -> None:
    mask = torch.full((2, 3, height, width), value)
    torch.testing.assert_close(gaussian_smooth(mask, 1.0), mask)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0])
def test_equals_a_padded_convolution(sigma: float) -> None:
    mask = torch.rand(2, 1, 12, 17, dtype=torch.float64)
    radius = round(2 * sigma)
    line = torch.exp(-(torch.arange(-radius, radius + 1).double() ** 2) / (2 * sigma**2))
    kernel = torch.outer(line, line)
    kernel = kernel / kernel.sum()
    padded = F.pad(mask, [radius] * 4, mode="reflect")
    expected = F.conv2d(padded, kernel[None, None])
    torch.testing.assert_close(gaussian_smooth(mask, sigma), expected, rtol=0, atol=1e-12)


def test_a_kernel_can_reach_less_far() -> None:
    line = gaussian_matrix(21, 5.0, radius=4)[10]
    assert line.nonzero().flatten().tolist() == list(range(6, 15))
    assert line[10] / line[14] == pytest.approx(math.exp(4**2 / (2 * 5**2)))


def test_zero_sigma_changes_nothing() -> None:
    mask = torch.rand(1, 3, 4, 4)
    assert gaussian_smooth(mask, 0.0) is mask


@pytest.mark.parametrize("size", [(7,), (5, 6), (3, 4, 5)], ids=str)
def test_any_number_of_dimensions_is_smoothed_along_each_of_them(size: tuple[int, ...]) -> None:
    mask = torch.rand(2, 3, *size, dtype=torch.float64)
    expected = mask
    for axis, side in enumerate(size, start=2):
        moved = expected.movedim(axis, -1) @ gaussian_matrix(side, 1.2).mT
        expected = moved.movedim(-1, axis)
    found = gaussian_smooth(mask, 1.2, dims=len(size))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_long_lines_need_no_matrix_and_are_smoothed_alike() -> None:
    mask = torch.rand(2, 3, 2 * LONGEST_MATRIX, dtype=torch.float64)
    expected = mask @ gaussian_matrix(mask.shape[-1], 9.0).mT
    torch.testing.assert_close(gaussian_smooth(mask, 9.0, dims=1), expected, rtol=0, atol=1e-12)
    tall = gaussian_smooth(mask.mT, 9.0, dims=2)[..., 0]
    torch.testing.assert_close(
        tall, gaussian_smooth(gaussian_smooth(mask, 9.0, dims=1).mT, 9.0, dims=1)[..., 0]
    )


def test_a_volume_is_smoothed_along_each_of_its_sides() -> None:
    volume = torch.rand(1, 2, 4, 7, 5, dtype=torch.float64)
    expected = volume
    for axis in (2, 3, 4):
        expected = gaussian_smooth(expected.movedim(axis, -1), 1.0, dims=1).movedim(-1, axis)
    torch.testing.assert_close(gaussian_smooth(volume, 1.0, dims=3), expected)


@pytest.mark.parametrize("shape", [(3, LONGEST_MATRIX + 5, 4), (3, 7, 4)])
def test_masks_of_three_and_of_four_dimensions_are_smoothed_alike(shape: tuple[int, ...]) -> None:
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    expected = gaussian_smooth(mask[:, None], 1.5)[:, 0]
    torch.testing.assert_close(gaussian_smooth(mask, 1.5), expected, rtol=0, atol=0)
