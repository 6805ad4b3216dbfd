"""The three stages against the literal re-implementation, in float64, fed with the same noise.

Two samples at once in the package, one after the other in the reference.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from input_iba.attribution import Attributor, FeatureIBA, InputBottleneck, WGANPrior
from input_iba.core.information import feature_capacity, input_capacity
from input_iba.core.smoothing import gaussian_smooth
from input_iba.records import Attribution, FeatureStatistics
from tests import reference
from tests.attribution.reference_cases import (
    IDS,
    INPUT_SHAPE,
    SEED,
    TARGETS,
    Case,
    close,
    literal_bottleneck,
    reference_feature_iba,
    reference_input_iba,
    reference_prior,
    reference_statistics,
)
from tests.reference.cases import random

LAYERS = ["2", "3", "3.conv"]


@pytest.fixture(params=LAYERS)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_statistics(case: Case) -> None:
    found = case.attributor.statistics
    assert found is not None
    for ours, theirs in zip(
        (found.mean, found.std, found.nonzero), reference_statistics(case), strict=True
    ):
        close(ours, theirs)
    assert found.count == 12


def test_capacities() -> None:
    x, mean, prior = random(40), random(40, seed=1), torch.sigmoid(3 * random(40, seed=4))
    std, lambda_ = random(40, seed=2).exp(), torch.sigmoid(4 * random(40, seed=3))
    lambda_[:3] = torch.tensor([0.0, 1e-9, 1 - 1e-6])
    close(
        feature_capacity(x, lambda_, mean, std), reference.feature_capacity(x, lambda_, mean, std)
    )
    close(
        input_capacity(x, lambda_, prior, 0.2, 1.5),
        reference.input_capacity(x, lambda_, prior, 0.2, 1.5),
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (2, 3), (9, 12)])
@pytest.mark.parametrize("sigma", [0.0, 0.5, 1.0, 2.3])
def test_smoothing(size: tuple[int, int], sigma: float) -> None:
    mask = random(3, *size)
    close(gaussian_smooth(mask, sigma), reference.gaussian_smooth(mask, sigma))


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_feature_iba(case: Case, steps: int, sigma: float) -> None:
    settings = FeatureIBA(batch_size=3, opt_steps=steps, beta=5.0, sigma=sigma)
    found = case.feature_bottleneck(settings)
    assert found.failures == (None, None)
    for sample in range(2):
        theirs = reference_feature_iba(case, sample, settings)
        close(found.lambda_[sample], theirs.lambda_)
        close(found.capacity[sample], theirs.capacity)
        close(found.saliency[sample], reference.saliency(theirs.capacity, *INPUT_SHAPE[1:]))
        loss = found.target_loss + 5.0 * found.information_loss
        assert loss[:, sample].tolist() == pytest.approx(theirs.losses, abs=1e-9)
        assert found.target_loss[:, sample].tolist() == pytest.approx(
            theirs.cross_entropies, abs=1e-9
        )


@pytest.mark.parametrize("real", ["capacity", "bottleneck"])
@pytest.mark.parametrize(
    "settings",
    [
        WGANPrior(dataset_size=5, batch_size=5, epochs=1, sub_dataset_size=2),  # one step
        WGANPrior(dataset_size=14, batch_size=4, epochs=2, critic_iter=3, sub_dataset_size=5),
    ],
    ids=["one step", "eight steps"],
)
def test_prior(case: Case, settings: WGANPrior, real: str) -> None:
    settings = replace(settings, real=real, weight_clip=0.1)
    feature = case.feature_bottleneck(FeatureIBA(batch_size=3, opt_steps=3))
    with case.attributor.classifier.frozen():
        found = settings.fit(case.task, feature)
    for sample in range(2):
        theirs = reference_prior(case, sample, settings, feature)
        close(found.lambda_[sample], theirs.mask)
        critic, generator = found.losses["critic"], found.losses["generator"]
        assert critic[:, sample].tolist() == pytest.approx(theirs.critic_losses, abs=1e-9)
        assert generator[:, sample].tolist() == pytest.approx(theirs.generator_losses, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_input_iba(steps: int, sigma: float) -> None:
    case = Case("3")
    settings = InputBottleneck(batch_size=3, opt_steps=steps, beta=5.0, sigma=sigma)
    prior_lambda = torch.sigmoid(random(2, *INPUT_SHAPE, seed=5))
    with case.attributor.classifier.frozen():
        found = settings.fit(case.task, prior_lambda)
    for sample in range(2):
        theirs = reference_input_iba(case, sample, settings, prior_lambda[sample])
        close(found.alpha[sample], theirs.alpha)
        close(found.lambda_[sample], theirs.lambda_)
        close(case.task.modality.to_map(found.alpha.sigmoid())[sample], theirs.map)
        loss = found.target_loss + 5.0 * found.information_loss
        assert loss[:, sample].tolist() == pytest.approx(theirs.losses, abs=1e-9)


@pytest.mark.parametrize("real", ["capacity", "bottleneck"])
def test_the_whole_pipeline(case: Case, real: str) -> None:
    feature_iba = FeatureIBA(batch_size=2, opt_steps=3)
    prior = WGANPrior(dataset_size=8, batch_size=4, epochs=2, critic_iter=2, real=real)
    input_iba = InputBottleneck(batch_size=2, opt_steps=3)
    statistics = FeatureStatistics(*reference_statistics(case), count=12)
    attributor = Attributor(
        case.model,
        case.layer,
        feature_iba=feature_iba,
        prior=prior,
        input_iba=input_iba,
        statistics=statistics,
    )
    records = attributor.attribute(case.inputs, TARGETS, ids=IDS, seed=SEED)
    case.statistics = statistics
    for sample, record in enumerate(records):
        assert isinstance(record, Attribution)
        feature = reference_feature_iba(case, sample, feature_iba)
        stacked = literal_bottleneck(case, sample, feature)
        lambda_g = reference_prior(case, sample, prior, stacked).mask
        theirs = reference_input_iba(case, sample, input_iba, lambda_g)
        close(record.feature_mask, stacked.saliency[sample])
        close(record.prior_mask, lambda_g.mean(0))
        close(record.input_mask, theirs.map)
