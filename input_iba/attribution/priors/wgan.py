"""The published prior: a Wasserstein GAN between masked inputs and bottlenecked features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import RMSprop

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.priors.generator import (
    TEXT_MASK_LR,
    Losses,
    MaskedInputGenerator,
    RealFeaturesPrior,
)
from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import Means
from input_iba.errors import ConfigError
from input_iba.modality.critics import build_critics
from input_iba.registry import PRIORS
from input_iba.settings import setting


@PRIORS.register_module(name="VisionWGAN")
@dataclass(frozen=True)
class WGANPrior(RealFeaturesPrior):
    """A Wasserstein GAN whose generator is the classifier up to the layer, behind a mask.

    The critic computes in the type that the classifier computes in.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 3; Arjovsky et al. 2017 (arXiv
        1701.07875), algorithm 1.
    """

    lr: float = setting(5e-5, "learning rate of the critic", above=0)
    weight_clip: float = setting(0.01, "bound of the critic's weights", above=0)
    epochs: int = setting(20, "passes over the real samples", at_least=1)
    critic_iter: int = setting(5, "critic steps per generator step", at_least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.dataset_size, self.batch_size) < 2:
            raise ConfigError("gan.dataset_size and gan.batch_size must be 2 or more.")

    def _train(
        self, generator: MaskedInputGenerator, feature: FittedFeatures, noise: NoiseSource
    ) -> Losses:
        task, real_batch = generator.task, self._real(feature, noise)
        critics = build_critics(
            lambda: task.modality.critic(feature.features),
            task.noise("critic").seeds,
            like=task.inputs,
            autocast=task.classifier.autocast,
        )

        def scores(features: Tensor) -> Tensor:
            return critics(features, *task.tokens.of_sample)

        optimiser = RMSprop(critics.parameters.values(), lr=self.lr)
        losses: dict[str, list[Tensor]] = {"critic": [], "generator": []}
        steps = self.epochs * len(self._batches(torch.arange(self.dataset_size)[None]))
        iterations = (
            iteration
            for _ in range(self.epochs)
            for iteration in enumerate(self._batches(noise.permutation(self.dataset_size)))
        )
        for step, (iteration, indices) in enumerate(iterations, start=1):
            features = feature.features
            real = real_batch(indices, noise.normal(indices.shape[1], *features.shape[1:]))
            z = noise.normal(indices.shape[1], *task.inputs.shape[1:])
            turn = iteration % self.critic_iter == 0
            fake = generator.features(z, with_graph=turn)
            loss = scores(fake.detach()).mean(1) - scores(real).mean(1)
            optimiser.zero_grad()
            loss.sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            critics.clip(self.weight_clip)
            losses["critic"].append(loss.detach())
            if turn:
                losses["generator"].append(
                    generator.step(lambda features: -scores(features).mean(1), fake, z)
                )
            if task.progress is not None:
                parts = {name: values[-1] for name, values in losses.items()}
                task.progress("WGAN", step, steps, Means(**parts))
        return losses

    def _batches(self, order: Tensor) -> list[Tensor]:
        # One map alone has no batch statistics for the critic.
        return [part for part in torch.split(order, self.batch_size, dim=1) if part.shape[1] > 1]


@PRIORS.register_module(name="NLPWGAN")
@dataclass(frozen=True)
class TextWGANPrior(WGANPrior):
    """The same for text, where the mask moves faster."""

    mask_lr: float = TEXT_MASK_LR
