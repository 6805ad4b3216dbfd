"""Real feature samples: what the layer would put out if only the bottleneck's share passed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.priors.base import Prior
from input_iba.attribution.priors.generator import MASK_LR
from input_iba.core.noise import NoiseSource
from input_iba.settings import setting

REAL = ("capacity", "bottleneck")
"""Ways to draw real features; see `real_features`."""


@dataclass(frozen=True)
class RealFeaturesPrior(Prior):
    """A prior that is trained towards real feature samples."""

    dataset_size: int = setting(200, "real feature samples", at_least=1)
    sub_dataset_size: int = setting(
        20, "how many of them share one noise distribution (real='capacity')", at_least=1
    )
    batch_size: int = setting(32, "real and fake samples per step", at_least=1)
    mask_lr: float = setting(MASK_LR, "learning rate of the mask's logit", above=0)
    real: str = setting(
        "capacity",
        "how real features are drawn: 'capacity' as the published code, 'bottleneck' as the paper",
        choices=REAL,
    )


RealBatch = Callable[[Tensor, Tensor], Tensor]
"""Maps indices (S, n) and noise (S, n, C', h, w) to feature samples (S, n, C', h, w)."""


def real_features(
    real: str, feature: FittedFeatures, noise: NoiseSource, size: int, group_size: int
) -> RealBatch:
    """Return how real feature samples are drawn.

    Args:
        real: 'bottleneck' for λR + (1−λ)ε with ε ~ N(μ, s²), as the paper says; 'capacity' for a
            blend by the capacity in nats with noise of a random mean U(−2, 2) and deviation
            U(0, 5) per group, as the published code does.
        feature: What stage 1 has learned.
        noise: Draws the groups' means and deviations.
        size: Number of feature samples.
        group_size: How many of them share one mean and deviation.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 3.
    """
    if real == "bottleneck":
        return _through_bottleneck(feature)
    groups = -(-size // group_size)
    means, stds = noise.uniform(-2, 2, groups), noise.uniform(0, 5, groups)
    features, capacity = feature.features[:, None], feature.capacity[:, None]

    def by_capacity(indices: Tensor, eps: Tensor) -> Tensor:
        group = indices // group_size
        shape = (*group.shape, *[1] * (eps.ndim - 2))
        mean, std = (values.gather(1, group).view(shape) for values in (means, stds))
        return capacity * features + (1 - capacity) * (mean + std * eps)

    return by_capacity


def _through_bottleneck(feature: FittedFeatures) -> RealBatch:
    features, lambda_ = feature.features[:, None], feature.lambda_[:, None]

    def draw(_indices: Tensor, eps: Tensor) -> Tensor:
        z = lambda_ * features + (1 - lambda_) * (feature.mean + feature.std * eps)
        return z * feature.active

    return draw
