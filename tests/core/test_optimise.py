"""The optimisation loop against Adam by hand, with every schedule and kind of noise."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from input_iba.attribution import InputBottleneck
from input_iba.core.bottleneck import Bottleneck
from input_iba.core.noise import NoiseSource, noise_draws
from input_iba.core.optimise import FittedMask, fit_mask
from input_iba.core.targets import target_losses
from input_iba.errors import ConfigError

SETTINGS = InputBottleneck(batch_size=4, opt_steps=5, lr=0.5, beta=3.0, initial_alpha=1.0)


def signal() -> Tensor:
    return torch.randn(2, 6, generator=torch.Generator().manual_seed(0)).double()


def source() -> NoiseSource:
    return NoiseSource(["a", "b"], 0, "x", dtype=torch.float64)


def fitted(settings: InputBottleneck) -> FittedMask:
    """Fit masks to a classifier whose two logits are the sums of three inputs each."""
    x = signal()

    def logits(_samples: slice, z: Tensor) -> Tensor:
        return z.view(*z.shape[:-1], 2, 3).sum(-1)

    bottleneck = Bottleneck(
        signal=x,
        mask=torch.sigmoid,
        noisy=lambda lambda_, samples, eps: lambda_ * x[samples, None] + (1 - lambda_) * eps,
        logits=logits,
        capacity=lambda lambda_: lambda_.square(),
    )
    losses = target_losses([0, 1], torch.zeros(2, 2))
    return fit_mask(bottleneck, losses, source(), settings, stage="test")


def by_hand(settings: InputBottleneck, rate: list[float]) -> Tensor:
    """Return α after Adam, sample by sample, in plain arithmetic."""
    draw = noise_draws(source(), settings.noise, settings.batch_size, 6)
    alpha = torch.full((2, 6), settings.initial_alpha).double()
    first, second = torch.zeros(2, 6).double(), torch.zeros(2, 6).double()
    for step in range(1, settings.opt_steps + 1):
        eps = draw()
        for s in range(2):
            leaf = alpha[s].clone().requires_grad_()
            lambda_ = torch.sigmoid(leaf)
            z = lambda_ * signal()[s] + (1 - lambda_) * eps[s]
            logits = torch.stack([z[:, :3].sum(1), z[:, 3:].sum(1)], 1)
            target = -logits.log_softmax(1)[:, s].mean()
            (target + settings.beta * lambda_.square().mean()).backward()  # type: ignore[no-untyped-call]
            assert leaf.grad is not None
            first[s] = 0.9 * first[s] + 0.1 * leaf.grad
            second[s] = 0.999 * second[s] + 0.001 * leaf.grad**2
        corrected = (second / (1 - 0.999**step)).sqrt() + 1e-8
        alpha = alpha - rate[step - 1] * first / (1 - 0.9**step) / corrected
    return alpha


@pytest.mark.parametrize("noise", ["fresh", "antithetic", "fixed"])
def test_every_kind_of_noise(noise: str) -> None:
    settings = replace(SETTINGS, noise=noise)
    expected = by_hand(settings, [0.5] * 5)
    torch.testing.assert_close(fitted(settings).alpha, expected, rtol=0, atol=1e-9)


def test_the_cosine_lets_the_learning_rate_fall() -> None:
    settings = replace(SETTINGS, lr_schedule="cosine")
    rates = [0.5 * (1 + math.cos(math.pi * step / 5)) / 2 for step in range(5)]
    torch.testing.assert_close(fitted(settings).alpha, by_hand(settings, rates), rtol=0, atol=1e-9)


def test_unknown_schedules_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"lr_schedule .*'constant', .*'linear'"):
        InputBottleneck(lr_schedule="linear")
