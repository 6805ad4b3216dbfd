"""Stage 3: a bottleneck on the input itself, held against the prior of stage 2."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from input_iba.attribution.task import AttributionTask
from input_iba.core.bottleneck import Bottleneck, BottleneckSettings
from input_iba.core.information import input_capacity
from input_iba.core.optimise import FittedMask
from input_iba.settings import setting

MIN_ODDS = 0.01
"""Bound of the prior's mask, from 0 and from 1, where its logit is taken."""

WARM_STEPS, WARM_LR = 5, 0.1
"""Steps from a mask that is nearly right, and their learning rate."""

MIN_SCALE = 1e-6
"""Bound of the deviation of relative noise, where an input is 0 in all channels."""


@dataclass(frozen=True)
class InputBottleneck(BottleneckSettings):
    """Settings of the input bottleneck, beside those of `BottleneckSettings`, in pixels.

    Noise of deviation 1, as published, drowns embeddings that are small, as those of transformers
    are, and a word whose embedding is longer than others' outlasts it with a smaller mask:
    `relative_noise` is for them.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 4.
    """

    PLACE = "input_iba."

    opt_steps: int = 60
    prior_odds: float = setting(
        0.0,
        "how far the mask starts where the prior's mask is: at initial_alpha + prior_odds * "
        "logit(prior's mask); at 0, as published, it starts the same everywhere",
        part="attributor",
    )
    relative_noise: bool = setting(
        False,
        "noise as large as the input at its place: its deviation is the root mean square of the "
        "pixel's channels or of the word's embedding, instead of 1 as published",
        part="attributor",
    )
    warm_steps: int = setting(
        WARM_STEPS, "steps where the mask starts at what an explainer predicts", at_least=1
    )
    warm_lr: float = setting(WARM_LR, "their learning rate", above=0)

    def fit(
        self, task: AttributionTask, prior_lambda: Tensor, start: Tensor | None = None
    ) -> FittedMask:
        """Learn a mask on the pixels, or on the embeddings, of every sample.

        Args:
            task: The S samples.
            prior_lambda: The prior's mask λ_G in [0, 1], (S, C, H, W).
            start: The mask's logit α at the start, broadcastable to (S, C, H, W), from which it
                takes `warm_steps`; None for `initial_alpha` and `prior_odds`.
        """
        steps = self
        if start is None:
            start = self.initial_alpha + self.prior_odds * prior_lambda.logit(MIN_ODDS)
        else:
            steps = replace(self, opt_steps=self.warm_steps, lr=self.warm_lr)
        inputs = standardised = task.inputs
        if self.relative_noise:
            square = inputs.square().mean(task.modality.channels, keepdim=True)
            scale = square.sqrt().clamp_min(MIN_SCALE)
            standardised = inputs / scale

        def noisy(lambda_: Tensor, samples: slice, eps: Tensor) -> Tensor:
            z = ((1 - lambda_) * eps).add_(lambda_ * standardised[samples, None])
            if self.relative_noise:
                z.mul_(scale[samples, None])
            return task.masked_only(z, inputs, samples)

        bottleneck = Bottleneck(
            signal=inputs,
            mask=lambda alpha: task.modality.smooth(alpha.sigmoid(), self.sigma),
            noisy=noisy,
            logits=lambda samples, z: task.in_rows(task.classifier.logits, z, samples),
            capacity=lambda lambda_: input_capacity(standardised, lambda_, prior_lambda),
            start=start,
            counted=task.tokens.counted,
        )
        with task.classifier.frozen():
            return task.fit(bottleneck, steps, stage="InputIBA", noise="input_iba")
