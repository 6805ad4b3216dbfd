"""Stage 3: a bottleneck on the input itself, held against the prior of stage 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from input_iba.attribution.task import AttributionTask
from input_iba.core.information import input_capacity
from input_iba.core.optimise import Bottleneck, BottleneckSettings, FittedMask


@dataclass(frozen=True)
class InputIBA(BottleneckSettings):
    """Settings of the input bottleneck; those of `BottleneckSettings`, in pixels.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 4.
    """

    section: ClassVar[str] = "input_iba"

    opt_steps: int = 60

    def fit(self, task: AttributionTask, prior_lambda: Tensor) -> FittedMask:
        """Learn a mask on the pixels of every sample.

        Args:
            task: The samples.
            prior_lambda: The prior's mask λ_G in [0, 1], (S, C, H, W).
        """

        def noisy(lambda_: Tensor, samples: slice, eps: Tensor) -> Tensor:
            return ((1 - lambda_) * eps).add_(lambda_ * task.inputs[samples, None])

        bottleneck = Bottleneck(
            signal=task.inputs,
            mask=lambda alpha: task.modality.smooth(alpha.sigmoid(), self.sigma),
            noisy=noisy,
            logits=lambda _samples, z: task.in_rows(task.classifier.logits, z),
            capacity=lambda lambda_: input_capacity(task.inputs, lambda_, prior_lambda),
        )
        with task.classifier.frozen():
            return task.fit(bottleneck, self, stage="InputIBA", noise="input_iba")
