"""The WGAN's generator without a critic: distributions are compared along random directions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import Tensor
from torch.nn import functional as F

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.priors.generator import Losses, MaskedInputGenerator, RealFeaturesPrior
from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import Means
from input_iba.errors import ConfigError
from input_iba.registry import PRIORS
from input_iba.settings import setting


@PRIORS.register_module(name="SlicedWassersteinPrior")
@dataclass(frozen=True)
class SlicedWassersteinPrior(RealFeaturesPrior):
    """The generator of the WGAN, moved by the sliced Wasserstein distance to real features.

    References:
        Bonneel et al. 2015 (Sliced and Radon Wasserstein barycenters of measures, eq. 10);
        Deshpande et al. 2018 (arXiv 1803.11188), algorithm 1, without the discriminator.
    """

    steps: int = setting(40, "steps of the generator", at_least=1)
    projections: int = setting(64, "random directions per step", at_least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size > self.dataset_size:
            raise ConfigError(
                f"gan.batch_size {self.batch_size} is more than gan.dataset_size "
                f"{self.dataset_size}: a step has no more real samples than there are."
            )

    def _train(
        self, generator: MaskedInputGenerator, feature: FittedFeatures, noise: NoiseSource
    ) -> Losses:
        task, real_batch = generator.task, self._real(feature, noise)
        shape, counted = feature.features.shape[1:], generator.task.tokens.counted
        history: list[Tensor] = []
        for step in range(1, self.steps + 1):
            indices = noise.permutation(self.dataset_size)[:, : self.batch_size]
            real = real_batch(indices, noise.normal(self.batch_size, *shape))
            directions = noise.directions(shape, self.projections)
            if counted is not None:  # padding and special tokens are not compared
                seen = counted.expand_as(feature.features).flatten(1)
                directions = directions * seen[..., None]
            directions = F.normalize(directions, dim=1)
            z = noise.normal(self.batch_size, *task.inputs.shape[1:])
            distance = partial(sliced_wasserstein, other=real, directions=directions)
            history.append(generator.step(distance, generator.features(z, with_graph=True), z))
            if task.progress is not None:
                parts = Means(distance=history[-1])
                task.progress("sliced Wasserstein", step, self.steps, parts)
        return {"distance": history}


def sliced_wasserstein(one: Tensor, other: Tensor, directions: Tensor) -> Tensor:
    """Compute the mean squared 2-Wasserstein distance of two sets along directions.

    In one dimension the best matching of two sets of equal size is that of their sorted values.

    Args:
        one: n points, (S, n, …) of d values each.
        other: As many.
        directions: Unit vectors as columns, (S, d, p).

    Returns:
        Squared distances, (S,), in the units of the points squared.

    References:
        Bonneel et al. 2015 (Sliced and Radon Wasserstein barycenters of measures, eq. 10).

    >>> import torch
    >>> points = torch.tensor([[[0.0], [1.0]]])
    >>> sliced_wasserstein(points, points.flip(1) + 2, torch.ones(1, 1, 1))
    tensor([4.])
    """
    first, second = ((one_of.flatten(2) @ directions).sort(1).values for one_of in (one, other))
    return (first - second).square().mean((1, 2))
