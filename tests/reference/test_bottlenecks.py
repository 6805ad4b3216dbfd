"""The reference's formulas and bottlenecks, against values by hand and against torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from tests import reference
from tests.reference.cases import FEATURE_SHAPE, X_SHAPE, close, random, tiny_cnn


def test_statistics_by_hand() -> None:
    outputs = [torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.0, 3.0, 0.0])]
    mean, std, nonzero = reference.statistics([output.double() for output in outputs])
    assert mean.tolist() == [0.0, 2.0, 1.0]
    close(std, torch.tensor([0.0, math.sqrt(2), math.sqrt(2)], dtype=torch.float64))
    assert nonzero.tolist() == [0.0, 1.0, 0.5]


def test_smoothing_is_a_reflected_convolution() -> None:
    mask, sigma = random(2, 7, 9), 1.0
    axis = torch.arange(-2, 3, dtype=torch.float64)
    kernel = torch.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / 2)
    kernel = (kernel / kernel.sum())[None, None]
    padded = F.pad(mask[:, None], (2, 2, 2, 2), mode="reflect")
    close(reference.gaussian_smooth(mask, sigma), F.conv2d(padded, kernel)[:, 0])


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2), (3, 2)])
def test_smoothing_of_maps_smaller_than_the_kernel(size: tuple[int, int]) -> None:
    ones = torch.ones(1, *size, dtype=torch.float64)
    close(reference.gaussian_smooth(ones, 1.0), ones)


def test_smoothing_two_points_by_hand() -> None:
    # Offsets −2, 0, 2 of the period-2 mirror read the point itself, −1 and 1 the other point.
    g = [math.exp(-(k**2) / 2) for k in range(3)]
    own = (g[0] + 2 * g[2]) / (g[0] + 2 * g[1] + 2 * g[2])
    smooth = reference.gaussian_smooth(torch.tensor([[[1.0, 0.0]]], dtype=torch.float64), 1.0)
    close(smooth, torch.tensor([[[own, 1 - own]]], dtype=torch.float64))
    assert reference.gaussian_smooth(smooth, 0.0) is smooth
    assert reference.gaussian_smooth(smooth, None) is smooth


def test_feature_capacity_is_the_kl_of_two_normals() -> None:
    features, mean = random(20), random(20, seed=1)
    std, lambda_ = random(20, seed=2).exp(), torch.sigmoid(random(20, seed=3))
    masked = Normal(lambda_ * features + (1 - lambda_) * mean, (1 - lambda_) * std)
    expected = kl_divergence(masked, Normal(mean, std))
    close(reference.feature_capacity(features, lambda_, mean, std), expected)


def test_input_capacity_is_the_kl_to_the_input_behind_both_masks() -> None:
    x, m, d = random(20), 0.3, 1.7
    lambda_, prior = torch.sigmoid(random(20, seed=1)), torch.sigmoid(random(20, seed=2))
    both = lambda_ * prior
    masked = Normal(lambda_ * x + (1 - lambda_) * m, (1 - lambda_) * d)
    prior_input = Normal(both * x + (1 - both) * m, (1 - both) * d)
    expected = kl_divergence(masked, prior_input)
    close(reference.input_capacity(x, lambda_, prior, m, d), expected)


def test_input_capacity_at_the_ends_of_the_prior() -> None:
    x, lambda_ = random(20), torch.sigmoid(random(20, seed=1))
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    close(
        reference.input_capacity(x, lambda_, zero),
        reference.feature_capacity(x, lambda_, zero, one),
    )
    close(reference.input_capacity(x, lambda_, one), zero)


def test_adam_is_torch_adam() -> None:
    theirs = random(5).requires_grad_()
    ours, target = theirs.detach().clone(), random(5, seed=1)
    optimiser, adam = torch.optim.Adam([theirs], lr=0.5), reference.Adam(0.5)
    for _ in range(5):
        optimiser.zero_grad()
        ((theirs - target) ** 4).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        ours = adam.step(ours, 4 * (ours - target) ** 3)
    close(ours, theirs.detach(), rtol=0, atol=1e-12)


def test_saliency_is_bits_per_pixel() -> None:
    capacity = random(3, 4, 5).abs()
    bits = capacity.sum(0)[None, None] / math.log(2) * (4 * 5) / (11 * 8)
    expected = F.interpolate(bits, size=(11, 8), mode="bilinear", align_corners=False)[0, 0]
    close(reference.saliency(capacity, 11, 8), expected)


def noises(steps: int, *shape: int) -> list[Tensor]:
    return [random(*shape, seed=100 + step) for step in range(steps)]


def test_feature_iba_follows_torch_adam_on_the_written_loss() -> None:
    model, x, target = tiny_cnn(), random(*X_SHAPE), 1
    mean, std = random(*FEATURE_SHAPE, seed=1), random(*FEATURE_SHAPE, seed=2).abs()
    nonzero = torch.full(FEATURE_SHAPE, 0.5, dtype=torch.float64)
    nonzero[1] = 0.01  # not above the threshold: inactive
    noise = noises(3, 4, *FEATURE_SHAPE)
    found = reference.feature_iba(
        model, "2", x, target, mean, std, nonzero, noise, beta=2.0, steps=3, min_std=0.5
    )

    features = model[:3](x[None])[0].detach()
    alpha = torch.full(FEATURE_SHAPE, 5.0, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([alpha], lr=1.0)
    active, s, losses = (nonzero > 0.01).double(), std.clamp_min(0.5), []
    for draw in noise:
        lambda_ = reference.gaussian_smooth(torch.sigmoid(alpha), 1.0)
        z = (lambda_ * features + (1 - lambda_) * (mean + s * draw)) * active
        entropy = F.cross_entropy(model[3:](z), torch.full((4,), target))
        masked = Normal(lambda_ * features + (1 - lambda_) * mean, (1 - lambda_) * s)
        loss = entropy + 2.0 * (kl_divergence(masked, Normal(mean, s)) * active).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert losses == pytest.approx(found.losses, rel=1e-12)
    close(found.alpha, alpha.detach(), rtol=0, atol=1e-11)
    assert (found.capacity[1] == 0).all()
    assert (found.capacity[0] > 0).all()


def test_input_iba_follows_torch_adam_on_the_written_loss() -> None:
    model, x, target = tiny_cnn(), random(*X_SHAPE), 2
    prior = torch.sigmoid(random(*X_SHAPE, seed=1))
    noise = noises(3, 4, *X_SHAPE)
    found = reference.input_iba(model, x, target, prior, noise, beta=3.0, steps=3, sigma=None)

    alpha = torch.full(X_SHAPE, 5.0, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([alpha], lr=1.0)
    for draw in noise:
        lambda_ = torch.sigmoid(alpha)
        entropy = F.cross_entropy(
            model(lambda_ * x + (1 - lambda_) * draw), torch.full((4,), target)
        )
        masked, both = Normal(lambda_ * x, 1 - lambda_), lambda_ * prior
        loss = entropy + 3.0 * kl_divergence(masked, Normal(both * x, 1 - both)).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    close(found.alpha, alpha.detach(), rtol=0, atol=1e-11)
    close(found.map, torch.sigmoid(alpha.detach()).mean(0), rtol=0, atol=1e-11)


def test_lambda_stays_below_one() -> None:
    lambda_ = reference.mask_of(torch.full((1, 2, 2), 40.0, dtype=torch.float64), None)
    assert (lambda_ == 1 - 1e-6).all()
