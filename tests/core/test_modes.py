"""Models that are frozen for a while, and how near two ways to compute the same must come."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from input_iba.core.modes import frozen, same
from tests.conftest import Unchanged


@pytest.mark.parametrize(
    ("dtype", "near", "far"),
    [(torch.float64, 1e-10, 1e-8), (torch.float32, 5e-4, 2e-3), (torch.bfloat16, 0.01, 0.03)],
)
def test_rounding_is_a_share_of_the_greatest_value(
    dtype: torch.dtype, near: float, far: float
) -> None:
    values = torch.tensor([[-10.0, 2.0]], dtype=torch.float64)
    off = torch.tensor([[0.0, 10.0]], dtype=torch.float64)
    assert same(values, values + near * off, dtype)
    assert not same(values, values + far * off, dtype)


def test_of_detections_what_is_missing_counts_as_zero() -> None:
    one = torch.tensor([[[1.0, 2.0], [0.0, 0.0]]])
    assert same(one, one[:, :1])
    assert same(one[:, :1], one)
    assert not same(one, one[:, :1] + 1)
    assert not same(one, one.expand(2, -1, -1))
    assert not same(one, one[..., :1])


def test_recurrent_layers_stay_in_train_mode_and_drop_nothing_out(unchanged: Unchanged) -> None:
    net = nn.Sequential(nn.Dropout(), nn.LSTM(2, 2, num_layers=2, dropout=0.5)).train()
    with unchanged(net):
        with frozen(net):
            assert [module.training for module in net] == [False, True]
            assert net[1].dropout == 0
            assert not any(parameter.requires_grad for parameter in net.parameters())
        assert net[1].dropout == 0.5
