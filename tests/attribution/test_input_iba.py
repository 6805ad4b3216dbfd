"""InputIBA: where its mask starts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from input_iba.attribution import InputIBA
from tests.attribution.nets import small_attributor, small_net

STILL = 1e-9
"""A learning rate at which the mask stays where it started."""


def start(settings: InputIBA, prior_lambda: Tensor) -> Tensor:
    attributor = small_attributor(small_net())
    task = attributor.task(torch.randn(len(prior_lambda), 2, 8, 8, dtype=torch.float64))
    return settings.fit(task, prior_lambda).alpha


@pytest.mark.parametrize("odds", [0.0, 0.1, 2.0])
def test_the_mask_starts_at_its_logit_plus_the_priors_log_odds(odds: float) -> None:
    prior = torch.rand(3, 2, 8, 8, dtype=torch.float64) * 0.8 + 0.1
    found = start(InputIBA(initial_alpha=6.0, prior_odds=odds, opt_steps=1, lr=STILL), prior)
    expected = 6.0 + odds * torch.log(prior / (1 - prior))
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_prior_that_is_certain_gives_a_finite_start(value: float) -> None:
    prior = torch.full((2, 2, 8, 8), value, dtype=torch.float64)
    found = start(InputIBA(prior_odds=1.0, opt_steps=1, lr=STILL), prior)
    assert (found - 5.0).abs().max() < 5
