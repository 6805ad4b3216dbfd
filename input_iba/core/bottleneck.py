"""A bottleneck: a noisy channel in front of (a part of) a classifier, and its settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from input_iba.core.noise import check_noise
from input_iba.errors import ConfigError, check_positive

SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}
"""Share of the learning rate by the share of the steps that is done."""


@dataclass(frozen=True)
class BottleneckSettings:
    """What both bottlenecks let their users choose.

    Attributes:
        initial_alpha: Logit of the mask at the start.
        sigma: Deviation of the smoothing, in positions of the mask; 0 for none.
        beta: Weight of the mean capacity.
        opt_steps: Steps of Adam.
        lr: Its learning rate.
        lr_schedule: 'constant', or 'cosine' to let it fall to 0.
        batch_size: K, noise draws per sample and step.
        noise: 'fresh' draws in every step; 'antithetic' ones, half of them the negatives of the
            other half; or 'fixed', those of the first step.
        log_every_steps: Write the loss to the log every so many steps; −1 for never.

    Raises:
        ConfigError: A count or rate is not above 0, or a name does not exist.
    """

    section: ClassVar[str] = "bottleneck"
    BUILT: ClassVar[frozenset[str]] = frozenset()
    """Settings that configs keep in `attributor`, as published; the others in `attribution_cfg`."""

    initial_alpha: float = 5.0
    sigma: float = 1.0
    beta: float = 20.0
    opt_steps: int = 10
    lr: float = 1.0
    lr_schedule: str = "constant"
    batch_size: int = 10
    noise: str = "fresh"
    log_every_steps: int = -1

    def __post_init__(self) -> None:
        check_positive(self.section, self, "batch_size", "opt_steps", "lr")
        check_noise(self.section, self.noise)
        if self.lr_schedule not in SCHEDULES:
            raise ConfigError(
                f"{self.section}.lr_schedule must be one of {', '.join(map(repr, SCHEDULES))}, "
                f"got {self.lr_schedule!r}."
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
        head_start: Added to the settings' `initial_alpha`, (S, *shape), or None.
    """

    signal: Tensor
    mask: Callable[[Tensor], Tensor]
    noisy: Callable[[Tensor, slice, Tensor], Tensor]
    logits: Callable[[slice, Tensor], Tensor]
    capacity: Callable[[Tensor], Tensor]
    counted: Tensor | None = None
    terms: tuple[tuple[float, bool], ...] = ((1.0, False),)
    head_start: Tensor | None = None

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
