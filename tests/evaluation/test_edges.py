"""The edge detector: it knows the picture and nothing else."""

from __future__ import annotations

import pytest
import torch

from input_iba.evaluation import edge_map


def test_slopes_have_their_length() -> None:
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(7.0), indexing="ij")
    picture = torch.stack([3 * rows + 4 * columns, 3 * rows + 4 * columns])[None]
    found = edge_map(picture)
    assert found.shape == (1, 9, 7)
    # Over two pixels the plane rises by 6 and 8.
    assert found[0, 1:-1, 1:-1].flatten().tolist() == pytest.approx([10.0] * 35)


def test_flat_pictures_have_no_edges_and_samples_do_not_mix() -> None:
    x = torch.zeros(2, 3, 8, 8, dtype=torch.float64)
    x[1, :, 4:] = 1
    found = edge_map(x)
    assert found.dtype == torch.float64
    assert not found[0].any()
    assert found[1, 3:5].min() > 0
    assert not found[1, :3].any()
    assert not found[1, 5:].any()
    assert torch.equal(edge_map(x[1:])[0], found[1])
