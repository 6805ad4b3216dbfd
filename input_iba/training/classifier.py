"""Training of small classifiers, so that there is something to explain."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.errors import ConfigError, InputIBAError


@dataclass(frozen=True)
class TrainingSettings:
    """How to train, whatever the samples are.

    Attributes:
        epochs: Passes over the training set.
        lr: Peak of the one-cycle learning rate; None for one that suits the classifier.
        batch_size: Samples per step.
        seed: Seeds all that is drawn: order, augmentation, dropout.
    """

    epochs: int = 10
    lr: float | None = None
    batch_size: int = 128
    seed: int = 0


class Labelled(Protocol):
    """Samples in memory, with their classes."""

    @property
    def targets(self) -> Tensor:
        """Return class indices (N,), int64."""

    def take(self: Data, indices: Tensor) -> Data:
        """Return the samples at some positions."""


Data = TypeVar("Data", bound=Labelled)


def split(data: Data, share: float, seed: int) -> tuple[Data, Data]:
    """Split off a random `share` of the samples; returns the rest and the share."""
    total = len(data.targets)
    order = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
    count = min(max(1, round(share * total)), total - 1)
    return data.take(order[count:].sort().values), data.take(order[:count].sort().values)


class Trainer(ABC, Generic[Data]):
    """Trains a classifier epoch by epoch; an epoch depends on seed, number and state alone.

    Args:
        model: The classifier; changed in place.
        data: Training set.
        settings: How to train.
        device: Where to compute.
        autocast: Number format of the layers, or None for float32.

    Attributes:
        steps: Steps per epoch.

    Raises:
        ConfigError: The data have more classes than the classifier.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Data,
        settings: TrainingSettings,
        device: torch.device,
        autocast: torch.dtype | None = None,
    ) -> None:
        self.model = model.to(device)
        self.data = data
        self.settings = settings
        self.device = device
        self.autocast = autocast
        self._check_classes()
        self.steps = math.ceil(len(data.targets) / settings.batch_size)
        self.optimizer = self.make_optimizer()
        peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, peaks, total_steps=settings.epochs * self.steps, cycle_momentum=False
        )

    @abstractmethod
    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return the optimiser at its peak learning rate."""

    @abstractmethod
    def batches(self, generator: torch.Generator) -> Iterator[Data]:
        """Yield the batches of an epoch, in random order, augmented."""

    @abstractmethod
    def logits(self, batch: Data) -> Tensor:
        """Return the classifier's logits (B, classes)."""

    def loss(self, batch: Data) -> Tensor:
        """Return the mean loss of a batch in nats."""
        return row_losses(self.logits(batch).float(), batch.targets.to(self.device)).mean()

    def update(self) -> None:
        """Change the weights along the gradient."""
        self.optimizer.step()

    @torch.no_grad()
    def _check_classes(self) -> None:
        self.model.eval()
        outputs = self.logits(self.data.take(torch.tensor([0]))).shape[1]
        outputs = max(outputs, 2)
        classes = int(self.data.targets.max()) + 1
        if classes > outputs:
            raise ConfigError(
                f"The training set has {classes} classes, the classifier {outputs} outputs. Set "
                f"attributor.classifier.num_classes={classes}."
            )

    def train_epoch(self, epoch: int, on_step: Callable[[float], object]) -> float:
        """Pass over the training set once.

        Args:
            epoch: Its number, from 0.
            on_step: Called with the loss of every step.

        Returns:
            Mean loss in nats.

        Raises:
            InputIBAError: The loss is not finite.
        """
        seed = self.settings.seed * 100_003 + epoch
        self.model.train()
        total = 0.0
        with torch.random.fork_rng():
            torch.manual_seed(seed)  # of dropout
            for batch in self.batches(torch.Generator().manual_seed(seed)):
                loss = self._step(batch)
                if not math.isfinite(loss):
                    raise InputIBAError(
                        f"Training diverged in epoch {epoch + 1}: the loss is {loss}. Start again "
                        "with a lower --lr."
                    )
                total += loss * len(batch.targets)
                on_step(loss)
        return total / len(self.data.targets)

    def _step(self, batch: Data) -> float:
        with self.autocasting():
            loss = self.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.update()
        self.schedule.step()
        return loss.item()

    def autocasting(self) -> torch.autocast:
        """Return the context in which layers compute in their number format."""
        enabled = self.autocast is not None
        return torch.autocast(self.device.type, self.autocast or torch.bfloat16, enabled=enabled)

    @torch.no_grad()
    def accuracy(self, data: Data, on_batch: Callable[[int], object] = lambda _: None) -> float:
        """Return the share of samples whose class has the highest logit.

        Args:
            data: Samples that were not trained on.
            on_batch: Called with the number of samples of every batch, for progress.
        """
        self.model.eval()
        right = 0
        for batch in self.evaluation_batches(data):
            with self.autocasting():
                found = predicted(self.logits(batch))
            right += int((found.cpu() == batch.targets).sum())
            on_batch(len(batch.targets))
        return right / len(data.targets)

    def evaluation_batches(self, data: Data) -> Iterator[Data]:
        """Yield all samples in batches."""
        for indices in torch.split(torch.arange(len(data.targets)), 512):
            yield data.take(indices)

    def state(self) -> dict[str, Any]:
        """Return what the next epoch depends on, as tensors and plain data."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": {
                key: value
                for key, value in self.schedule.state_dict().items()
                if isinstance(value, int | float | list)
            },
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that `state` returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def row_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of each row in nats, of one logit the binary one.

    Args:
        logits: (B, classes); one logit says how much class 1 is likelier than class 0.
        targets: Class indices (B,).
    """
    if logits.shape[1] == 1:
        wanted = targets.to(logits.dtype)
        return F.binary_cross_entropy_with_logits(logits[:, 0], wanted, reduction="none")
    return F.cross_entropy(logits, targets, reduction="none")


def predicted(logits: Tensor) -> Tensor:
    """Return the likeliest class of each row, (B, classes) to (B,).

    >>> predicted(torch.tensor([[0.3], [-2.0]])).tolist()
    [1, 0]
    """
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)
