"""A network with two inputs, and what the reference makes of them with the package's noise."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from input_iba.attribution import (
    AttributionTask,
    Attributor,
    FeatureIBA,
    FittedFeatures,
    InputBottleneck,
    WGANPrior,
)
from input_iba.core.noise import NoiseSource
from input_iba.core.targets import target_losses
from input_iba.modality import VisionModality
from tests import reference
from tests.reference.cases import random

IDS = ("first", "second")
TARGETS = [1, 0]
SEED = 3
INPUT_SHAPE = (2, 9, 12)


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)


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

    def feature_bottleneck(self, settings: FeatureIBA) -> FittedFeatures:
        with self.attributor.classifier.frozen():
            return settings.fit(self.task, self.statistics)


def reference_statistics(case: Case) -> tuple[Tensor, Tensor, Tensor]:
    outputs = [
        reference.layer_output(case.model, case.layer, x[None])[0].detach() for x in case.estimation
    ]
    return reference.statistics(outputs)


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


def reference_prior(
    case: Case, sample: int, settings: WGANPrior, feature: FittedFeatures
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


def reference_input_iba(
    case: Case, sample: int, settings: InputBottleneck, prior_lambda: Tensor
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


def literal_bottleneck(case: Case, sample: int, found: reference.FeatureResult) -> FittedFeatures:
    """Put what the reference has learned of one sample where the package would put it."""
    features = reference.layer_output(case.model, case.layer, case.inputs).detach()

    def place(value: Tensor) -> Tensor:
        return value.expand(2, *value.shape)

    return FittedFeatures(
        features=features,
        alpha=torch.empty(2),
        lambda_=place(found.lambda_),
        capacity=place(found.capacity),
        gain=torch.empty(2),
        half=torch.empty(2),
        mean=case.statistics.mean,
        std=case.statistics.std,
        active=(case.statistics.nonzero > 0.01).double(),
        saliency=place(reference.saliency(found.capacity, *INPUT_SHAPE[1:])),
        target_loss=torch.empty(0),
        information_loss=torch.empty(0),
        failures=(None, None),
    )
