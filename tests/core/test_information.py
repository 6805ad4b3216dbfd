"""Capacities as KL divergences, and what must hold of them for any values."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from input_iba.core.information import MAX_LAMBDA, clamp_mask, feature_capacity, input_capacity

masks = st.floats(0, MAX_LAMBDA)
values = st.floats(-50, 50)
deviations = st.floats(0.01, 20)


def tensor(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


@given(values, masks, values, deviations)
def test_feature_capacity_is_the_divergence_of_two_normals(
    feature: float, lambda_: float, mean: float, std: float
) -> None:
    found = feature_capacity(tensor(feature), tensor(lambda_), tensor(mean), tensor(std))
    noisy = Normal(tensor(lambda_ * feature + (1 - lambda_) * mean), tensor((1 - lambda_) * std))
    expected = kl_divergence(noisy, Normal(tensor(mean), tensor(std)))
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-7)


@given(values, st.floats(0, 0.99), st.floats(0, 0.99), values, deviations)
def test_input_capacity_is_the_divergence_from_what_the_prior_lets_through(
    x: float, lambda_: float, prior: float, mean: float, std: float
) -> None:
    def passing(share: float) -> Normal:
        return Normal(tensor(share * x + (1 - share) * mean), tensor((1 - share) * std))

    found = input_capacity(tensor(x), tensor(lambda_), tensor(prior), mean, std)
    expected = kl_divergence(passing(lambda_), passing(prior * lambda_))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


@given(values, masks, st.floats(0, 1), values, deviations)
def test_capacities_are_never_negative_nor_infinite(
    x: float, lambda_: float, prior: float, mean: float, std: float
) -> None:
    feature = feature_capacity(tensor(x), tensor(lambda_), tensor(mean), tensor(std))
    inputs = input_capacity(tensor(x), tensor(lambda_), tensor(prior), mean, std)
    for capacity in (feature, inputs):
        assert torch.isfinite(capacity)
        assert capacity >= -1e-9


@given(values, masks)
def test_without_a_prior_the_input_is_held_against_plain_noise(x: float, lambda_: float) -> None:
    against_prior = input_capacity(tensor(x), tensor(lambda_), tensor(0.0))
    against_noise = feature_capacity(tensor(x), tensor(lambda_), tensor(0.0), tensor(1.0))
    torch.testing.assert_close(against_prior, against_noise, rtol=1e-9, atol=1e-9)


@given(values, masks)
def test_a_prior_that_lets_all_through_costs_nothing(x: float, lambda_: float) -> None:
    assert input_capacity(tensor(x), tensor(lambda_), tensor(1.0)).abs() < 1e-9


@given(values, st.floats(0, 0.98), st.floats(0.001, 0.01))
def test_more_signal_is_more_information(x: float, lambda_: float, step: float) -> None:
    less = feature_capacity(tensor(x), tensor(lambda_), tensor(0.0), tensor(1.0))
    more = feature_capacity(tensor(x), tensor(lambda_ + step), tensor(0.0), tensor(1.0))
    assert more > less


def test_the_clamp_keeps_float32_masks_finite() -> None:
    lambda_ = clamp_mask(torch.tensor([-0.1, 0.5, 1.0, 1.1]))
    assert lambda_.min() == 0
    assert lambda_.max() < 1
    assert torch.isfinite(
        feature_capacity(torch.ones(4), lambda_, torch.zeros(4), torch.ones(4))
    ).all()
