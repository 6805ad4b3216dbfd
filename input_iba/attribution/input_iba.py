"""Stage 3: a bottleneck on the input itself, held against the prior of stage 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from input_iba.attribution.task import AttributionTask
from input_iba.core.information import input_capacity
from input_iba.core.optimise import Bottleneck, BottleneckSettings, FittedMask

LEAST_ODDS = 0.01
"""Bound of the prior's mask, from 0 and from 1, where its logit is taken."""


@dataclass(frozen=True)
class InputIBA(BottleneckSettings):
    """Settings of the input bottleneck; this beside those of `BottleneckSettings`, in pixels.

    Attributes:
        prior_odds: How far the mask starts where the prior's mask λ_G is: A starts at
            initial_alpha + prior_odds · logit(λ_G). At 0, as published, it starts the same
            everywhere.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 4.
    """

    section: ClassVar[str] = "input_iba"

    opt_steps: int = 60
    prior_odds: float = 0.0

    def fit(self, task: AttributionTask, prior_lambda: Tensor) -> FittedMask:
        """Learn a mask on the pixels, or on the embeddings, of every sample.

        Args:
            task: The samples.
            prior_lambda: The prior's mask λ_G in [0, 1], (S, C, H, W).
        """

        def noisy(lambda_: Tensor, samples: slice, eps: Tensor) -> Tensor:
            z = ((1 - lambda_) * eps).add_(lambda_ * task.inputs[samples, None])
            return task.masked_only(z, task.inputs, samples)

        bottleneck = Bottleneck(
            signal=task.inputs,
            mask=lambda alpha: task.modality.smooth(alpha.sigmoid(), self.sigma),
            noisy=noisy,
            logits=lambda samples, z: task.in_rows(task.classifier.logits, z, samples),
            capacity=lambda lambda_: input_capacity(task.inputs, lambda_, prior_lambda),
            head_start=self.prior_odds * prior_lambda.logit(LEAST_ODDS)
            if self.prior_odds
            else None,
            counted=task.counted,
        )
        with task.classifier.frozen():
            return task.fit(bottleneck, self, stage="InputIBA", noise="input_iba")
