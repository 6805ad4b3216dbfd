"""Chunks cover a picture of any size, and hiding leaves the others as they are."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.errors import ConfigError
from input_iba.vibi import ChunkGrid


@given(
    height=st.integers(4, 20),
    width=st.integers(4, 20),
    size=st.integers(1, 4),
    channels=st.sampled_from([1, 3]),
)
def test_every_pixel_belongs_to_the_chunk_that_it_lies_in(
    height: int, width: int, size: int, channels: int
) -> None:
    grid = ChunkGrid(height, width, size, channels)
    rows, columns = math.ceil(height / size), math.ceil(width / size)
    assert grid.count == channels * rows * columns
    spread = grid.upsample(torch.arange(float(grid.count)))
    assert spread.shape == (channels, height, width)
    for c, y, x in [(0, 0, 0), (channels - 1, height - 1, width - 1), (0, height // 2, width - 1)]:
        assert spread[c, y, x] == (c * rows + y // size) * columns + x // size


def test_hiding_keeps_shown_chunks_and_fills_the_others() -> None:
    grid = ChunkGrid(4, 6, 2, fill=0.25)
    pictures = torch.rand(2, 3, 4, 6)
    shown = torch.zeros(2, 3, grid.count)
    shown[1, 2, 4] = 1.0  # second row of chunks, second column
    hidden = grid.hide(pictures, shown).view(2, 3, 3, 4, 6)
    expected = torch.full_like(hidden, 0.25)
    expected[1, 2, :, 2:4, 2:4] = pictures[1, :, 2:4, 2:4]
    assert torch.equal(hidden, expected)


def test_chunks_of_each_colour_are_hidden_on_their_own() -> None:
    grid = ChunkGrid(2, 2, 2, channels=3)
    hidden = grid.hide(torch.ones(1, 3, 2, 2), torch.tensor([[[1.0, 0.0, 1.0]]]))
    assert hidden[0, :, 0, 0].tolist() == [1, 0, 1]


def test_chunks_larger_than_the_picture_are_refused() -> None:
    with pytest.raises(ConfigError, match="Choose a chunk size from 1 to 8"):
        ChunkGrid(8, 9, 10)
