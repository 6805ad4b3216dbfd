"""A bottleneck: a noisy channel in front of (a part of) a classifier, and its settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from input_iba.core.noise import NOISE_KINDS
from input_iba.settings import Settings, setting

SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}
"""Share of the learning rate by the share of the steps that is done."""


@dataclass(frozen=True)
class BottleneckSettings(Settings):
    """What both bottlenecks let their users choose."""

    PLACE = "bottleneck."

    initial_alpha: float = setting(5.0, "logit of the mask at the start", part="attributor")
    sigma: float = setting(
        1.0,
        "deviation of the smoothing, in positions of the mask; 0 for none",
        part="attributor",
        none=0.0,  # as in IBA's own code
    )
    beta: float = setting(20.0, "weight of the mean capacity")
    opt_steps: int = setting(10, "steps of Adam", at_least=1)
    lr: float = setting(1.0, "its learning rate", above=0)
    lr_schedule: str = setting(
        "constant", "'cosine' lets the learning rate fall to 0", choices=SCHEDULES
    )
    batch_size: int = setting(10, "K, noise draws per sample and step", at_least=1)
    noise: str = setting(
        "fresh",
        "'fresh' draws in every step; 'antithetic' ones, half of them the negatives of the other "
        "half; or 'fixed', those of the first step",
        choices=NOISE_KINDS,
    )
    log_every_steps: int = setting(
        -1, "write the loss to the log every so many steps; -1 for never", changes_result=False
    )


@dataclass(frozen=True)
class Bottleneck:
    """A noisy channel in front of (a part of) a classifier.

    Attributes:
        signal: What passes the channel, (S, *shape).
        mask: Maps α (S, *shape) to the mask λ of the same shape, before it is clamped.
        noisy: Maps masks, samples and standard-normal noise to what the classifier gets:
            (λ (s, 1, *shape), slice of s samples, noise (s, k, *shape)) → (s, k, *shape).
        logits: Maps (samples, what the classifier gets) to logits (s, k, classes).
        capacity: Maps λ (S, *shape) to nats, the same shape.
        counted: True where an element carries information, broadcastable to (S, *shape); None
            for everywhere.
        terms: (sign, reverse) of each term of the target's loss; `reverse` swaps signal and noise.
        start: α at the start, broadcastable to (S, *shape); None for the settings'
            `initial_alpha` everywhere.
    """

    signal: Tensor
    mask: Callable[[Tensor], Tensor]
    noisy: Callable[[Tensor, slice, Tensor], Tensor]
    logits: Callable[[slice, Tensor], Tensor]
    capacity: Callable[[Tensor], Tensor]
    counted: Tensor | None = None
    terms: tuple[tuple[float, bool], ...] = ((1.0, False),)
    start: Tensor | None = None

    def counted_capacity(self, lambda_: Tensor) -> Tensor:
        """Return nats per element, 0 where an element does not count, (S, *shape)."""
        capacity = self.capacity(lambda_)
        return capacity if self.counted is None else capacity * self.counted

    def information(self, lambda_: Tensor) -> Tensor:
        """Return the mean capacity of the elements that count, in nats, (S,)."""
        if self.counted is None:
            return self.capacity(lambda_).flatten(1).mean(1)
        counts = self.counted.expand_as(lambda_).flatten(1).sum(1)
        return self.counted_capacity(lambda_).flatten(1).sum(1) / counts
