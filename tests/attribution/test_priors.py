"""The priors without a critic: what they compute, and that neighbours change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from torch import Tensor

from input_iba.attribution import (
    AttributionTask,
    Attributor,
    ConstantPrior,
    FeatureIBA,
    FittedFeatures,
    Prior,
    SaliencyPrior,
    SlicedWassersteinPrior,
)
from input_iba.attribution.priors.generator import MaskedInputGenerator, real_features
from input_iba.attribution.priors.sliced_wasserstein import sliced_wasserstein
from input_iba.errors import ConfigError
from input_iba.records import Attribution
from tests.attribution.nets import small_attributor, small_net

SHORT = SlicedWassersteinPrior(
    dataset_size=9, batch_size=4, sub_dataset_size=3, steps=4, projections=5
)
PRIORS = [ConstantPrior(0.3), SaliencyPrior(), SHORT, replace(SHORT, real="bottleneck")]


def inputs(count: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, 2, 8, 8, generator=generator, dtype=torch.float64)


def fitted(count: int = 3) -> tuple[Attributor, AttributionTask, FittedFeatures]:
    attributor = small_attributor(small_net())
    statistics = attributor.estimate([inputs(20) + 0.1])
    task = attributor.task(inputs(count), [0, 1, 2][:count])
    return attributor, task, FeatureIBA(batch_size=3, opt_steps=3).fit(task, statistics)


def test_a_constant_prior_is_that_constant() -> None:
    _, task, feature = fitted()
    found = ConstantPrior(0.3).fit(task, feature)
    assert torch.equal(found.lambda_, torch.full_like(task.inputs, 0.3))
    assert found.failures == (None, None, None)


def test_the_saliency_prior_scales_every_sample_by_itself() -> None:
    _, task, feature = fitted()
    found = SaliencyPrior(low=0.2, high=0.6).fit(task, feature).lambda_
    for lambda_, saliency in zip(found, feature.saliency, strict=True):
        share = (saliency - saliency.min()) / (saliency.max() - saliency.min())
        for channel in lambda_:
            torch.testing.assert_close(channel, 0.2 + 0.4 * share, rtol=0, atol=1e-12)


def test_the_saliency_prior_of_a_flat_map_is_low() -> None:
    _, task, feature = fitted()
    flat = replace(feature, saliency=torch.zeros_like(feature.saliency))
    assert (SaliencyPrior().fit(task, flat).lambda_ == 0.25).all()


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
def test_sliced_wasserstein_is_the_mean_over_directions(n: int, d: int, p: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    one, other, directions = draw(2, n, d), draw(2, n, d), draw(2, d, p)
    found = sliced_wasserstein(one, other, directions)
    for sample in range(2):
        total = 0.0
        for column in range(p):
            axis = directions[sample, :, column].numpy()
            a = sorted(float(np.dot(point, axis)) for point in one[sample].numpy())
            b = sorted(float(np.dot(point, axis)) for point in other[sample].numpy())
            total += sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / n
        assert found[sample].item() == pytest.approx(total / p, abs=1e-9)


def test_shifted_sets_are_as_far_apart_as_the_earth_mover_says() -> None:
    points = torch.randn(1, 50, 1, generator=torch.Generator().manual_seed(0)).double()
    distance = sliced_wasserstein(points, points.flip(1) - 3, torch.ones(1, 1, 1).double())
    moved = wasserstein_distance(points.flatten().numpy(), points.flatten().numpy() - 3)
    assert distance.item() == pytest.approx(moved**2)


def test_sliced_wasserstein_uncovers_an_input_whose_features_passed_whole() -> None:
    _, task, feature = fitted(1)
    whole = replace(feature, lambda_=torch.ones_like(feature.lambda_))
    whole = replace(whole, saliency=torch.zeros_like(feature.saliency))
    prior = replace(SHORT, real="bottleneck", steps=80, batch_size=9, projections=20, mask_lr=0.05)
    found = prior.fit(task, whole)
    distances = found.losses["distance"][:, 0]
    assert distances[-10:].mean() < 0.2 * distances[:10].mean()
    assert found.lambda_.mean() > 0.6


def test_sliced_wasserstein_takes_the_steps_it_says() -> None:
    """One step by hand: RMSprop on the distance of the first draws."""
    _, task, feature = fitted(1)
    settings = replace(SHORT, steps=1, mask_lr=0.01)
    noise = task.noise("prior")
    draw = real_features("capacity", feature, noise, 9, 3)
    shape = feature.features.shape[1:]
    real = draw(noise.permutation(9)[:, :4], noise.normal(4, *shape)).flatten(2)
    directions = noise.normal(shape.numel(), 5)
    directions = directions / directions.norm(dim=1, keepdim=True)
    z = noise.normal(4, *task.inputs.shape[1:])
    with task.classifier.frozen():
        generator = MaskedInputGenerator(task, feature.saliency)
        fake = generator.features(z, with_graph=True).flatten(2)
        a, b = (fake @ directions).sort(1).values, (real @ directions).sort(1).values
        ((a - b) ** 2).mean().backward()
    slope = generator.logit.grad
    assert slope is not None
    logit = generator.logit - 0.01 * slope / ((0.01 * slope**2).sqrt() + 1e-8)
    found = settings.fit(task, feature).lambda_
    torch.testing.assert_close(found, logit.sigmoid().detach(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: type(prior).__name__)
def test_neighbours_and_groups_change_nothing(prior: Prior) -> None:
    attributor = small_attributor(small_net(), prior=prior)
    attributor.estimate([inputs(20) + 0.1])
    together = attributor.attribute(inputs(), [0, 1, 2], ids=["a", "b", "c"])
    attributor.internal_batch_size = 4
    grouped = attributor.attribute(inputs(), [0, 1, 2], ids=["a", "b", "c"])
    for i, (one, other) in enumerate(zip(together, grouped, strict=True)):
        [alone] = attributor.attribute(inputs()[i : i + 1], [i], ids=["abc"[i]])
        assert isinstance(one, Attribution)
        assert isinstance(other, Attribution)
        assert isinstance(alone, Attribution)
        for found in (other, alone):
            torch.testing.assert_close(found.input_mask, one.input_mask, rtol=0, atol=1e-9)
            torch.testing.assert_close(found.prior_mask, one.prior_mask, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ConstantPrior(1.0), "gan.value must be .* below 1"),
        (lambda: SaliencyPrior(high=1.5), "gan.high must be .* below 1"),
        (lambda: SlicedWassersteinPrior(real="code"), "gan.real must be one of 'capacity'"),
        (lambda: SlicedWassersteinPrior(batch_size=300), "batch_size 300 is more than"),
        (lambda: SlicedWassersteinPrior(steps=0), "steps"),
    ],
)
def test_impossible_settings_are_refused(make: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()  # type: ignore[operator]
