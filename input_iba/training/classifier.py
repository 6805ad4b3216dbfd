"""Training of small classifiers, so that there is something to explain."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.training.loop import autocasting
from input_iba.training.settings import TrainingSettings
from input_iba.training.trainer import Trainer, Validation


@dataclass(frozen=True)
class Labelled:
    """Samples in memory, with their classes.

    Attributes:
        inputs: Images (N, C, H, W), uint8 or floats of the same range; features (N, F); or token
            ids of each text, N times (T_s,).
        targets: Class indices (N,), int64.
    """

    inputs: Any
    targets: Tensor

    def take(self, indices: Tensor) -> Labelled:
        """Return the samples at some positions."""
        if isinstance(self.inputs, Tensor):
            return Labelled(self.inputs[indices], self.targets[indices])
        return Labelled(tuple(self.inputs[i] for i in indices.tolist()), self.targets[indices])

    def lengths(self) -> Tensor:
        """Return the number of tokens of each text, (N,)."""
        return torch.tensor([len(text) for text in self.inputs])


def split(data: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """Split off a random `share` of the samples; returns the rest and the share."""
    total = len(data.targets)
    order = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
    count = min(max(1, round(share * total)), total - 1)
    return data.take(order[count:].sort().values), data.take(order[:count].sort().values)


class ClassifierTrainer(Trainer[Labelled]):
    """Trains a classifier in place.

    Args:
        autocast: Number format of the layers, or None for float32.
        held_out: What the best epoch is chosen on; None for a training without.

    Raises:
        ConfigError: The data have more classes than the classifier.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Labelled,
        settings: TrainingSettings,
        device: torch.device,
        autocast: torch.dtype | None = None,
        held_out: Labelled | None = None,
    ) -> None:
        self.model = model.to(device)
        self.settings = settings
        self.data, self.held_out = self.cut(data), held_out
        self.device, self.autocast = device, autocast
        self._check_classes()
        steps = math.ceil(len(data.targets) / settings.batch_size)
        optimizer = self.make_optimizer()
        super().__init__(self.model, optimizer, settings.epochs, steps, settings.seed)

    def cut(self, data: Labelled) -> Labelled:
        """Return what is trained on of a training set; longer texts are cut."""
        return data

    @abstractmethod
    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return the optimiser at its peak learning rate."""

    @abstractmethod
    def logits(self, batch: Labelled) -> Tensor:
        """Return the classifier's logits (B, classes)."""

    def batches(self, generator: torch.Generator) -> Iterator[Labelled]:
        """Yield the samples in random order."""
        order = torch.randperm(len(self.data.targets), generator=generator)
        for indices in torch.split(order, self.settings.batch_size):
            yield self.data.take(indices)

    def cross_entropy(self, batch: Labelled) -> Tensor:
        """Return the mean loss of a batch in nats."""
        return row_losses(self.logits(batch).float(), batch.targets.to(self.device)).mean()

    def loss(self, batch: Labelled) -> dict[str, Tensor]:
        """Return the mean loss of a batch in nats."""
        with autocasting(self.device, self.autocast):
            return {"loss": self.cross_entropy(batch)}

    def size(self, batch: Labelled) -> int:
        """Return the number of samples of a batch."""
        return len(batch.targets)

    @torch.no_grad()
    def _check_classes(self) -> None:
        self.model.eval()
        outputs = max(self.logits(self.data.take(torch.tensor([0]))).shape[1], 2)
        classes = int(self.data.targets.max()) + 1
        if classes > outputs:
            raise ConfigError(
                f"The training set has {classes} classes, the classifier {outputs} outputs. Set "
                f"attributor.classifier.num_classes={classes}."
            )

    def validate(self) -> Validation:
        """Return the accuracy on what is held out."""
        assert self.held_out is not None
        found = self.accuracy(self.held_out)
        return Validation(found, {"accuracy": found}, f"accuracy {100 * found:.2f} %")

    @torch.no_grad()
    def accuracy(self, data: Labelled, on_batch: Callable[[int], object] = lambda _: None) -> float:
        """Return the share of samples whose class has the highest logit.

        `on_batch` is called with the number of samples of every batch, for progress.
        """
        self.model.eval()
        right = 0
        for batch in self.evaluation_batches(data):
            with autocasting(self.device, self.autocast):
                found = predicted(self.logits(batch))
            right += int((found.cpu() == batch.targets).sum())
            on_batch(len(batch.targets))
        return right / len(data.targets)

    def evaluation_batches(self, data: Labelled) -> Iterator[Labelled]:
        """Yield all samples in batches."""
        for indices in torch.split(torch.arange(len(data.targets)), 512):
            yield data.take(indices)


def row_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of each row of logits (B, classes) in nats.

    One logit says how much class 1 is likelier than class 0.
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
