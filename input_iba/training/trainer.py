"""What a training is made of: batches, a loss, a schedule, and a measure on what is held out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from input_iba.errors import InputIBAError

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Validation:
    """How good a network is on what is held out.

    Attributes:
        score: What the best epoch is chosen by; higher is better.
        metrics: All that was measured, by name; `text` is the same for reading.
    """

    score: float
    metrics: Mapping[str, float]
    text: str


class Trainer(ABC, Generic[Batch]):
    """Trains a network in place; an epoch depends on seed, number and state alone.

    Args:
        optimizer: Of the network's parameters, at the peak of the learning rate.
        steps: Steps per epoch.
        rise: Share of the training in which the learning rate rises; None for torch's own.
    """

    lr_name = "--lr"
    """How users call the learning rate."""

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        epochs: int,
        steps: int,
        seed: int,
        rise: float | None = None,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.epochs, self.steps, self.seed = epochs, steps, seed
        total, share = epochs * steps, 0.3
        if rise is not None:
            total = max(total, 2)
            share = max(rise, 1.5 / total)  # a rise of no step divides by zero
        peaks = [group["lr"] for group in optimizer.param_groups]
        self.schedule = OneCycleLR(optimizer, peaks, total, pct_start=share, cycle_momentum=False)

    @abstractmethod
    def batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of an epoch, in random order, augmented."""

    @abstractmethod
    def size(self, batch: Batch) -> int:
        """Return the number of samples of a batch."""

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean 'loss' of a batch in nats, which is minimised, and parts of it."""

    @abstractmethod
    def validate(self) -> Validation:
        """Measure the network on what is held out."""

    def update(self) -> None:
        """Change the weights along the gradient."""
        self.optimizer.step()

    def seed_of(self, epoch: int) -> int:
        """Return what everything that an epoch draws is seeded with."""
        return self.seed * 100_003 + epoch

    def train_epoch(
        self, epoch: int, on_step: Callable[[float], object] = lambda _: None
    ) -> dict[str, float]:
        """Pass over the training set once; return means of the loss and its parts, in nats.

        Epochs count from 0. `on_step` is called with the loss of every step.

        Raises:
            InputIBAError: The loss is not finite.
        """
        totals: dict[str, float] = {}
        count = 0
        self.network.train()
        with torch.random.fork_rng():
            torch.manual_seed(self.seed_of(epoch))  # of dropout
            for batch in self.batches(torch.Generator().manual_seed(self.seed_of(epoch))):
                parts = self._step(batch)
                if not math.isfinite(parts["loss"]):
                    raise InputIBAError(
                        f"Training diverged in epoch {epoch + 1}: the loss is {parts['loss']}. "
                        f"Start again with a lower {self.lr_name}."
                    )
                size = self.size(batch)
                for name, value in parts.items():
                    totals[name] = totals.get(name, 0.0) + value * size
                count += size
                on_step(parts["loss"])
        return {name: value / count for name, value in totals.items()}

    def _step(self, batch: Batch) -> dict[str, float]:
        parts = self.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(parts["loss"])
        self.update()
        self.schedule.step()
        return {name: value.item() for name, value in parts.items()}

    def state(self) -> dict[str, Any]:
        """Return what the next epoch depends on beside the weights, as tensors and plain data."""
        schedule = self.schedule.state_dict()
        plain = {k: v for k, v in schedule.items() if isinstance(v, int | float | list)}
        return {"optimizer": self.optimizer.state_dict(), "schedule": plain}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that `state` returned."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
