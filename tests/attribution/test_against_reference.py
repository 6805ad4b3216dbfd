"""The three stages against the literal re-implementation, in float64, fed with the same noise.

Two samples at once in the package, one after the other in the reference.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import (
    AttributionTask,
    Attributor,
    FeatureBottleneck,
    FeatureIBA,
    InputIBA,
    WGANPrior,
)
from input_iba.core.information import feature_capacity, input_capacity
from input_iba.core.noise import NoiseSource
from input_iba.core.smoothing import gaussian_smooth
from input_iba.core.targets import target_losses
from input_iba.modality import VisionModality
from input_iba.records import Attribution, FeatureStatistics
from tests import reference

IDS = ("first", "second")
TARGETS = [1, 0]
SEED = 3
INPUT_SHAPE = (2, 9, 12)


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


class Residual(nn.Module):
    """A block with a skip connection and ReLU in place at its end."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, inputs: Tensor) -> Tensor:
        out: Tensor = self.bn(self.conv(inputs))
        out += inputs
        activated: Tensor = self.relu(out)
        return activated


def network() -> nn.Sequential:
    """Return a small residual CNN; layer '3' puts out (4, 4, 6) maps and '1' (4, 9, 12)."""
    torch.manual_seed(0)
    stem = (nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2))
    head = (nn.Conv2d(4, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 2 * 4, 3))
    model = nn.Sequential(*stem, Residual(4), *head).double()
    model.train()
    with torch.no_grad():
        model(random(16, *INPUT_SHAPE, seed=9))  # batch norm has seen data
    return model.eval()


LAYERS = ["2", "3", "3.conv"]


class Case:
    """A network with a tap at one layer, two inputs, and the layer's statistics."""

    def __init__(self, layer: str) -> None:
        self.layer = layer
        self.model = network()
        self.inputs = random(2, *INPUT_SHAPE, seed=1)
        self.estimation = random(12, *INPUT_SHAPE, seed=2)
        self.attributor = Attributor(self.model, layer)
        self.statistics = self.attributor.estimate(torch.split(self.estimation, 5))
        # Values far from the threshold of activity, and some below it, for layers without zeros.
        nonzero = self.statistics.nonzero.clone()
        nonzero[0, :2, :3] = 0.01
        self.statistics = replace(self.statistics, nonzero=nonzero)
        with torch.no_grad():
            logits = self.model(self.inputs.clone())
        self.task = AttributionTask(
            classifier=self.attributor.classifier,
            modality=VisionModality(),
            inputs=self.inputs,
            logits=logits,
            losses=target_losses(TARGETS, logits),
            ids=IDS,
            seed=SEED,
        )

    def noise(self, stage: str) -> NoiseSource:
        return NoiseSource(IDS, SEED, stage, dtype=torch.float64)

    def feature_bottleneck(self, settings: FeatureIBA) -> FeatureBottleneck:
        with self.attributor.classifier.frozen():
            return settings.fit(self.task, self.statistics)


@pytest.fixture(params=LAYERS)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def reference_statistics(case: Case) -> tuple[Tensor, Tensor, Tensor]:
    outputs = [
        reference.layer_output(case.model, case.layer, x[None])[0].detach() for x in case.estimation
    ]
    return reference.statistics(outputs)


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


def reference_feature_iba(case: Case, sample: int, settings: FeatureIBA) -> reference.FeatureResult:
    noise, shape = case.noise("feature_iba"), case.statistics.mean.shape
    return reference.feature_iba(
        case.model,
        case.layer,
        case.inputs[sample],
        TARGETS[sample],
        case.statistics.mean,
        case.statistics.std,
        case.statistics.nonzero,
        [noise.normal(settings.batch_size, *shape)[sample] for _ in range(settings.opt_steps)],
        beta=settings.beta,
        lr=settings.lr,
        steps=settings.opt_steps,
        initial_alpha=settings.initial_alpha,
        sigma=settings.sigma,
    )


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


def reference_prior(
    case: Case, sample: int, settings: WGANPrior, feature: FeatureBottleneck
) -> reference.PriorResult:
    """Feed the reference with the noise that the package draws, in the package's order."""
    shape, noise = tuple(feature.features.shape[1:]), case.noise("prior")
    features = feature.features[sample]
    groups = -(-settings.dataset_size // settings.sub_dataset_size)
    if settings.real == "capacity":
        means, stds = noise.uniform(-2, 2, groups)[sample], noise.uniform(0, 5, groups)[sample]
        real = reference.real_by_capacity(
            features,
            feature.capacity[sample],
            means.tolist(),
            stds.tolist(),
            settings.sub_dataset_size,
        )
    else:
        mean, std = case.statistics.mean, case.statistics.std.clamp_min(0.01)
        active = case.statistics.nonzero > 0.01
        real = reference.real_by_bottleneck(features, feature.lambda_[sample], mean, std, active)

    critic = reference.make_critic(*shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(case.noise("critic").seeds[sample])
        ours = case.task.modality.critic(feature.features)
    critic.double()
    copied = zip(critic.parameters(), ours.double().parameters(), strict=True)
    for parameter, value in copied:
        parameter.data.copy_(value.data)
    return reference.wgan_prior(
        case.model,
        case.layer,
        case.inputs[sample],
        feature.saliency[sample],
        critic,
        real,
        lambda epoch: noise.permutation(settings.dataset_size)[sample].tolist(),
        lambda iteration, n: noise.normal(n, *shape)[sample],
        lambda iteration, n: noise.normal(n, *INPUT_SHAPE)[sample],
        dataset_size=settings.dataset_size,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        critic_iter=settings.critic_iter,
        weight_clip=settings.weight_clip,
        lr=settings.lr,
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


def reference_input_iba(
    case: Case, sample: int, settings: InputIBA, prior_lambda: Tensor
) -> reference.InputResult:
    noise = case.noise("input_iba")
    return reference.input_iba(
        case.model,
        case.inputs[sample],
        TARGETS[sample],
        prior_lambda,
        [
            noise.normal(settings.batch_size, *INPUT_SHAPE)[sample]
            for _ in range(settings.opt_steps)
        ],
        beta=settings.beta,
        lr=settings.lr,
        steps=settings.opt_steps,
        initial_alpha=settings.initial_alpha,
        sigma=settings.sigma,
    )


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_input_iba(steps: int, sigma: float) -> None:
    case = Case("3")
    settings = InputIBA(batch_size=3, opt_steps=steps, beta=5.0, sigma=sigma)
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
    input_iba = InputIBA(batch_size=2, opt_steps=3)
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


def literal_bottleneck(
    case: Case, sample: int, found: reference.FeatureResult
) -> FeatureBottleneck:
    """Put what the reference has learned of one sample where the package would put it."""
    features = reference.layer_output(case.model, case.layer, case.inputs).detach()

    def place(value: Tensor) -> Tensor:
        return value.expand(2, *value.shape)

    return FeatureBottleneck(
        features=features,
        lambda_=place(found.lambda_),
        capacity=place(found.capacity),
        mean=case.statistics.mean,
        std=case.statistics.std,
        active=(case.statistics.nonzero > 0.01).double(),
        saliency=place(reference.saliency(found.capacity, *INPUT_SHAPE[1:])),
        target_loss=torch.empty(0),
        information_loss=torch.empty(0),
        failures=(None, None),
    )
