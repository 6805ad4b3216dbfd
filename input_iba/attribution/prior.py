"""Stage 2: what mask on the input explains the bottlenecked features? A prior for stage 3."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.optim import RMSprop

from input_iba.attribution.feature_iba import FeatureBottleneck
from input_iba.attribution.generator import MaskedInputGenerator
from input_iba.attribution.task import AttributionTask
from input_iba.core.critics import StackedCritics, build_critics
from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import Progress
from input_iba.errors import ConfigError, check_positive
from input_iba.registry import PRIORS

RealBatch = Callable[[Tensor, Tensor], Tensor]
"""Maps indices (S, n) and noise (S, n, C', h, w) to feature samples (S, n, C', h, w)."""


@dataclass(frozen=True)
class FittedPrior:
    """The prior of S samples.

    Attributes:
        lambda_: Mask λ_G in [0, 1], (S, C, H, W).
        losses: Loss histories by part, each (steps, S).
        failures: Per sample what went wrong, or None.
    """

    lambda_: Tensor
    failures: tuple[str | None, ...]
    losses: Mapping[str, Tensor] = field(default_factory=dict)


class Prior(ABC):
    """A way to find the prior's mask λ_G."""

    @abstractmethod
    def fit(self, task: AttributionTask, feature: FeatureBottleneck) -> FittedPrior:
        """Find λ_G for every sample.

        Args:
            task: The samples.
            feature: What stage 1 has learned about them.
        """


@PRIORS.register_module(name="VisionWGAN")
@dataclass(frozen=True)
class WGANPrior(Prior):
    """A Wasserstein GAN whose generator is the classifier up to the layer, behind a mask.

    Attributes:
        dataset_size: Real feature samples per epoch.
        sub_dataset_size: How many of them share one noise distribution (`real='capacity'`).
        lr: Learning rate of the critic.
        batch_size: Real and fake samples per critic step.
        weight_clip: Bound of the critic's weights.
        epochs: Passes over the real samples.
        critic_iter: Critic steps per generator step.
        real: 'bottleneck' draws real features through the learned bottleneck, as the paper says:
            λR + (1−λ)ε with ε ~ N(μ, s²). 'capacity' does what the published code does: it blends
            by the capacity in nats, with noise of a random mean U(−2, 2) and deviation U(0, 5)
            per group of `sub_dataset_size`.
        verbose: Accepted from published configs; progress is reported anyway.

    The critic computes in the type that the classifier computes in.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 3; Arjovsky et al. 2017 (arXiv
        1701.07875), algorithm 1.
    """

    dataset_size: int = 200
    sub_dataset_size: int = 20
    lr: float = 5e-5
    batch_size: int = 32
    weight_clip: float = 0.01
    epochs: int = 20
    critic_iter: int = 5
    real: str = "capacity"
    verbose: bool = False

    def __post_init__(self) -> None:
        check_positive(
            "gan",
            self,
            *("dataset_size", "sub_dataset_size", "lr", "batch_size"),
            *("weight_clip", "epochs", "critic_iter"),
        )
        if self.real not in ("capacity", "bottleneck"):
            raise ConfigError(f"gan.real must be 'capacity' or 'bottleneck', got {self.real!r}.")
        if min(self.dataset_size, self.batch_size) < 2:
            raise ConfigError("gan.dataset_size and gan.batch_size must be 2 or more.")

    def fit(self, task: AttributionTask, feature: FeatureBottleneck) -> FittedPrior:
        """Train one generator and one critic per sample, as many side by side as memory allows."""
        limit = task.internal_batch_size or len(task.ids) * self.batch_size
        together = max(limit // self.batch_size, 1)
        groups = [
            list(range(len(task.ids)))[start : start + together]
            for start in range(0, len(task.ids), together)
        ]
        with task.classifier.frozen():
            parts = [
                self._fit_together(
                    replace(task.select(group), progress=_part(task.progress, i, len(groups))),
                    feature.select(group),
                )
                for i, group in enumerate(groups)
            ]
        return _joined(parts)

    def _fit_together(self, task: AttributionTask, feature: FeatureBottleneck) -> FittedPrior:
        noise = task.noise("prior")
        real_batch = self._real_features(feature, noise)
        generator = MaskedInputGenerator(task, feature.saliency)
        critics = build_critics(
            lambda: task.modality.critic(feature.features),
            task.noise("critic").seeds,
            like=task.inputs,
            autocast=task.classifier.autocast,
        )
        optimiser = RMSprop(critics.parameters.values(), lr=self.lr)
        losses: dict[str, list[Tensor]] = {"critic": [], "generator": []}
        steps = self.epochs * len(list(self._batches(torch.arange(self.dataset_size)[None])))
        for step, (iteration, indices) in enumerate(self._iterations(noise), start=1):
            features = feature.features
            real = real_batch(indices, noise.normal(indices.shape[1], *features.shape[1:]))
            z = noise.normal(indices.shape[1], *task.inputs.shape[1:])
            turn = iteration % self.critic_iter == 0
            fake = generator.features(z, with_graph=turn)
            losses["critic"].append(self._critic_step(critics, optimiser, real, fake.detach()))
            if turn:
                losses["generator"].append(generator.step(critics, fake, z))
            if task.progress is not None:
                parts = {name: values[-1].mean().item() for name, values in losses.items()}
                task.progress("WGAN", step, steps, parts)
        lambda_ = generator.mask().detach()
        histories = {name: torch.stack(values) for name, values in losses.items()}
        return FittedPrior(lambda_, _failures(lambda_), histories)

    def _iterations(self, noise: NoiseSource) -> Iterator[tuple[int, Tensor]]:
        """Yield (iteration within its epoch, indices of real samples (S, n))."""
        for _ in range(self.epochs):
            yield from enumerate(self._batches(noise.permutation(self.dataset_size)))

    def _batches(self, order: Tensor) -> Iterator[Tensor]:
        for indices in torch.split(order, self.batch_size, dim=1):
            if indices.shape[1] > 1:  # one map alone has no batch statistics for the critic
                yield indices

    def _real_features(self, feature: FeatureBottleneck, noise: NoiseSource) -> RealBatch:
        features, lambda_ = feature.features[:, None], feature.lambda_[:, None]
        if self.real == "bottleneck":

            def through_bottleneck(_indices: Tensor, eps: Tensor) -> Tensor:
                z = lambda_ * features + (1 - lambda_) * (feature.mean + feature.std * eps)
                return z * feature.active

            return through_bottleneck
        groups = -(-self.dataset_size // self.sub_dataset_size)
        means, stds = noise.uniform(-2, 2, groups), noise.uniform(0, 5, groups)
        capacity = feature.capacity[:, None]

        def by_capacity(indices: Tensor, eps: Tensor) -> Tensor:
            group = indices // self.sub_dataset_size
            shape = (*group.shape, *[1] * (eps.ndim - 2))
            mean, std = (values.gather(1, group).view(shape) for values in (means, stds))
            return capacity * features + (1 - capacity) * (mean + std * eps)

        return by_capacity

    def _critic_step(
        self, critics: StackedCritics, optimiser: RMSprop, real: Tensor, fake: Tensor
    ) -> Tensor:
        """Train every critic to score real above fake; return the losses before, (S,)."""
        optimiser.zero_grad()
        loss = critics(fake).mean(1) - critics(real).mean(1)
        loss.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        critics.clip(self.weight_clip)
        return loss.detach()


def _part(progress: Progress | None, part: int, parts: int) -> Progress | None:
    """Let one of several equal parts report its steps as a part of the whole."""
    if progress is None:
        return None

    def report(stage: str, step: int, steps: int, losses: Mapping[str, float]) -> None:
        progress(stage, part * steps + step, parts * steps, losses)

    return report


def _joined(parts: Sequence[FittedPrior]) -> FittedPrior:
    """Put the priors of groups of samples together again."""
    return FittedPrior(
        lambda_=torch.cat([part.lambda_ for part in parts]),
        failures=tuple(failure for part in parts for failure in part.failures),
        losses={
            name: torch.cat([part.losses[name] for part in parts], dim=1)
            for name in parts[0].losses
        },
    )


def _failures(lambda_: Tensor) -> tuple[str | None, ...]:
    finite = torch.isfinite(lambda_).flatten(1).all(1).tolist()
    reason = "the prior's mask is not finite: check the features for very large values"
    return tuple(None if ok else reason for ok in finite)
