"""How much information passes a noisy bottleneck: closed-form KL divergences, in nats."""

from __future__ import annotations

import torch
from torch import Tensor

MAX_LAMBDA = 1 - 1e-6
"""Masks stay below 1: at 1 no noise is left and the capacity is infinite."""


def clamp_mask(lambda_: Tensor) -> Tensor:
    """Keep a mask in [0, `MAX_LAMBDA`], where every capacity is finite."""
    return lambda_.clamp(0.0, MAX_LAMBDA)


def feature_capacity(features: Tensor, lambda_: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Compute the KL divergence of the bottlenecked feature from its noise, per element.

    KL[N(λR + (1−λ)μ, (1−λ)²s²) ‖ N(μ, s²)] = −½ (1 + ln(1−λ)² − (λ(R−μ)/s)² − (1−λ)²).

    Args:
        features: Layer output R, any shape, to which the others broadcast.
        lambda_: Mask λ in [0, 1).
        mean: Noise mean μ.
        std: Noise deviation s > 0.

    Returns:
        Capacity in nats, the broadcast shape.

    References:
        Schulz et al. 2020 (arXiv 2001.00396); docs/METHOD.md, section 2.

    >>> zero, one = torch.zeros(()), torch.ones(())
    >>> feature_capacity(one, zero, mean=one, std=one).item() == 0  # all noise: no information
    True
    """
    shift = lambda_ * (features - mean) / std
    return -0.5 * (1 + 2 * torch.log1p(-lambda_) - shift.square() - (1 - lambda_).square())


def input_capacity(
    inputs: Tensor,
    lambda_: Tensor,
    prior_lambda: Tensor,
    noise_mean: float = 0.0,
    noise_std: float = 1.0,
) -> Tensor:
    """Compute the KL divergence of the masked input from the prior, per element.

    With Λ the mask, λ_G the prior's mask, and m, d the noise's mean and deviation:
    mean term Λ(x − m + λ_G(m − x)) / ((1 − λ_GΛ)d), variance term v = (1−Λ)² / (1 − λ_GΛ)²,
    capacity −½ (1 + ln v − mean² − v).

    Args:
        inputs: Input x, any shape, to which the masks broadcast.
        lambda_: Mask Λ in [0, 1).
        prior_lambda: Prior mask λ_G in [0, 1].
        noise_mean: m, in units of the normalised input.
        noise_std: d > 0, in the same units.

    Returns:
        Capacity in nats, the broadcast shape.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 4.
    """
    rest = 1 - prior_lambda * lambda_
    mean = lambda_ * (1 - prior_lambda) * (inputs - noise_mean) / (rest * noise_std)
    log_variance = 2 * (torch.log1p(-lambda_) - torch.log1p(-prior_lambda * lambda_))
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp())
