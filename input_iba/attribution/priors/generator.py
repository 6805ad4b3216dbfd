"""The generator of trained priors: a masked, noisy input, sent through the classifier."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import RMSprop

from input_iba.attribution.task import AttributionTask
from input_iba.core.optimise import chunks

MEAN_LR, DEVIATION_LR, MASK_LR = 0.1, 0.05, 0.003
"""Learning rates of the published generator for noise mean, noise deviation and mask logit."""

TEXT_MASK_LR = 0.03
"""That of the mask logit on text."""


class MaskedInputGenerator:
    """Features of λ_G·x + (1 − λ_G)·(e·z + m), with λ_G, m and e learned per sample.

    Args:
        task: The S samples.
        saliency: Where the mask's logit a starts, (S, H, W).
        mask_lr: Learning rate of a.

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
        self.optimiser = RMSprop(
            [
                {"params": [self.mean], "lr": MEAN_LR},
                {"params": [self.deviation], "lr": DEVIATION_LR},
                {"params": [self.logit], "lr": mask_lr},
            ]
        )

    def mask(self) -> Tensor:
        """Return λ_G, (S, C, H, W)."""
        return self.logit.sigmoid()

    def features(self, z: Tensor, with_graph: bool) -> Tensor:
        """Generate features.

        The graph is kept only where one pass holds all rows; else `step` builds it anew, block by
        block, so that memory stays bounded.

        Args:
            z: Standard-normal noise, (S, n, C, H, W).
            with_graph: Keep what the generator's own step needs.

        Returns:
            (S, n, C', h, w).
        """
        blocks = self._blocks(z)
        with torch.set_grad_enabled(with_graph and len(blocks) == 1):
            generated = [self._generate(z, rows, columns) for rows, columns in blocks]
        if len(generated) == 1:
            return generated[0]
        out = generated[0].new_empty((*z.shape[:2], *generated[0].shape[2:]))
        for (rows, columns), part in zip(blocks, generated, strict=True):
            out[rows, columns] = part
        return out

    def step(self, loss_of: Callable[[Tensor], Tensor], fake: Tensor, z: Tensor) -> Tensor:
        """Move the generator towards features of less loss.

        Args:
            loss_of: Maps features (S, n, C', h, w) to each generator's loss (S,).
            fake: What `features(z, with_graph=True)` returned, (S, n, C', h, w).
            z: The same noise.

        Returns:
            The generators' losses before the step, (S,).
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
