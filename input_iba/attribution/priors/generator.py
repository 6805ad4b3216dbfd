"""What trained priors share: the generator, and the real feature samples that it is to meet."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.optim import RMSprop

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.priors.base import FittedPrior, Prior
from input_iba.attribution.task import AttributionTask
from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import Progress, chunks
from input_iba.settings import setting

MEAN_LR, DEVIATION_LR, MASK_LR = 0.1, 0.05, 0.003
"""Learning rates of the published generator for noise mean, noise deviation and mask logit."""

TEXT_MASK_LR = 0.03
"""That of the mask logit on text."""


class MaskedInputGenerator:
    """Features of λ_G·x + (1 − λ_G)·(e·z + m), with λ_G, m and e learned per sample.

    The mask's logit starts at `saliency`, (S, H, W), and moves with the learning rate `mask_lr`.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 3.
    """

    def __init__(self, task: AttributionTask, saliency: Tensor, mask_lr: float = MASK_LR) -> None:
        inputs = task.inputs
        self.task = task
        self.logit = task.modality.expand(saliency, inputs).requires_grad_()
        shape = (len(inputs), *task.modality.noise_shape(inputs))
        self.mean = inputs.new_zeros(shape).requires_grad_()
        self.deviation = inputs.new_ones(shape).requires_grad_()
        rates = ((self.mean, MEAN_LR), (self.deviation, DEVIATION_LR), (self.logit, mask_lr))
        self.optimiser = RMSprop([{"params": [values], "lr": lr} for values, lr in rates])

    def mask(self) -> Tensor:
        """Return λ_G, (S, C, H, W)."""
        return self.logit.sigmoid()

    def features(self, z: Tensor, with_graph: bool) -> Tensor:
        """Generate features (S, n, C', h, w) from standard-normal noise z (S, n, C, H, W).

        A graph, which the generator's own step needs, is kept only where one pass holds all rows;
        else `step` builds it anew, block by block, so that memory stays bounded.
        """
        blocks = self._blocks(z)
        with torch.set_grad_enabled(with_graph and len(blocks) == 1):
            generated = [self._generate(z, rows, columns) for rows, columns in blocks]
        if len(generated) == 1:
            return generated[0]
        out = generated[0].new_empty((*z.shape[:2], *generated[0].shape[2:]))
        for block, part in zip(blocks, generated, strict=True):
            out[block] = part
        return out

    def step(self, loss_of: Callable[[Tensor], Tensor], fake: Tensor, z: Tensor) -> Tensor:
        """Move the generator towards less loss; return the losses before the step, (S,).

        `loss_of` maps features (S, n, C', h, w) to losses (S,); `fake` is what `features` returned
        for the same noise, with a graph.
        """
        leaf = fake.detach().requires_grad_()
        loss = loss_of(leaf)
        (slope,) = torch.autograd.grad(loss.sum(), leaf)
        self.optimiser.zero_grad()
        if fake.requires_grad:
            fake.backward(slope)  # type: ignore[no-untyped-call]
        else:
            for rows, columns in self._blocks(z):
                self._generate(z, rows, columns).backward(slope[rows, columns])  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return loss.detach()

    def _blocks(self, z: Tensor) -> list[tuple[slice, slice]]:
        return list(chunks(z.shape[0], z.shape[1], self.task.internal_batch_size))

    def _generate(self, z: Tensor, rows: slice, columns: slice) -> Tensor:
        mask = self.mask()[rows, None]
        noise = self.deviation[rows, None] * z[rows, columns] + self.mean[rows, None]
        noisy = mask * self.task.inputs[rows, None] + (1 - mask) * noise
        noisy = self.task.masked_only(noisy, self.task.inputs, rows)
        return self.task.in_rows(self.task.classifier.features, noisy, rows)


REAL = ("capacity", "bottleneck")
"""Ways to draw real features; see `real_features`."""


@dataclass(frozen=True)
class RealFeaturesPrior(Prior):
    """A prior that trains one generator per sample towards real feature samples."""

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

    def fit(self, task: AttributionTask, feature: FittedFeatures) -> FittedPrior:
        """Train as many generators side by side as memory allows, group after group."""
        limit = task.internal_batch_size or len(task.ids) * self.batch_size
        together = max(limit // self.batch_size, 1)
        every = range(len(task.ids))
        groups = [every[start : start + together] for start in every[::together]]
        masks, losses = list[Tensor](), list[Losses]()
        with task.classifier.frozen():
            for i, group in enumerate(groups):
                progress = _part(task.progress, i, len(groups))
                some = replace(task.select(group), progress=progress)
                of_group = feature.select(group)
                generator = MaskedInputGenerator(some, of_group.saliency, self.mask_lr)
                losses.append(self._train(generator, of_group, some.noise("prior")))
                masks.append(generator.mask().detach())
        histories = {
            name: torch.cat([torch.stack(part[name]) for part in losses], dim=1)
            for name in losses[0]
        }
        return FittedPrior.of(torch.cat(masks), histories)

    @abstractmethod
    def _train(
        self, generator: MaskedInputGenerator, feature: FittedFeatures, noise: NoiseSource
    ) -> Losses:
        """Move the generators of some samples; return the parts of their losses."""

    def _real(self, feature: FittedFeatures, noise: NoiseSource) -> RealBatch:
        return real_features(self.real, feature, noise, self.dataset_size, self.sub_dataset_size)


Losses = Mapping[str, list[Tensor]]
"""Parts of a loss by name: of every step those of S samples, (S,)."""

RealBatch = Callable[[Tensor, Tensor], Tensor]
"""Maps indices (S, n) and noise (S, n, C', h, w) to feature samples (S, n, C', h, w)."""


def real_features(
    real: str, feature: FittedFeatures, noise: NoiseSource, size: int, group_size: int
) -> RealBatch:
    """Return how real feature samples are drawn from what stage 1 has learned.

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
    features, lambda_ = feature.features[:, None], feature.lambda_[:, None]
    capacity, groups = feature.capacity[:, None], -(-size // group_size)

    def through_bottleneck(_indices: Tensor, eps: Tensor) -> Tensor:
        z = lambda_ * features + (1 - lambda_) * (feature.mean + feature.std * eps)
        return z * feature.active

    if real == "bottleneck":
        return through_bottleneck
    means, stds = noise.uniform(-2, 2, groups), noise.uniform(0, 5, groups)

    def by_capacity(indices: Tensor, eps: Tensor) -> Tensor:
        group = indices // group_size
        shape = (*group.shape, *[1] * (eps.ndim - 2))
        mean, std = (values.gather(1, group).view(shape) for values in (means, stds))
        return capacity * features + (1 - capacity) * (mean + std * eps)

    return by_capacity


def _part(progress: Progress | None, part: int, parts: int) -> Progress | None:
    """Return what reports the steps of one of several equal parts as those of the whole."""
    if progress is None:
        return None

    def report(stage: str, step: int, steps: int, losses: Mapping[str, float]) -> None:
        progress(stage, part * steps + step, parts * steps, losses)

    return report
