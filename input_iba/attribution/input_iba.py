"""Stage 3: a bottleneck on the input itself, held against the prior of stage 2."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from input_iba.attribution.task import AttributionTask
from input_iba.core.information import input_capacity
from input_iba.core.optimise import Bottleneck, FittedMask, check_optimisation


@dataclass(frozen=True)
class InputIBA:
    """Settings of the input bottleneck.

    Attributes:
        initial_alpha: Logit of the mask at the start.
        sigma: Deviation of the smoothing in pixels; 0 for none.
        beta: Weight of the mean capacity.
        opt_steps: Steps of Adam.
        lr: Its learning rate.
        lr_schedule: 'constant', or 'cosine' to let it fall to 0.
        noise: 'fresh' draws in every step; 'antithetic' ones, half of them the negatives of the
            other half; or 'fixed', those of the first step.
        batch_size: K, noise draws per sample and step.
        log_every_steps: Write the loss to the log every so many steps; −1 for never.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 4.
    """

    initial_alpha: float = 5.0
    sigma: float = 1.0
    beta: float = 20.0
    opt_steps: int = 60
    lr: float = 1.0
    lr_schedule: str = "constant"
    noise: str = "fresh"
    batch_size: int = 10
    log_every_steps: int = -1

    def __post_init__(self) -> None:
        check_optimisation("input_iba", self)

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
