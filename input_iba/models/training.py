"""Training of small classifiers, so that there is something to explain."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.errors import ConfigError, InputIBAError

Prepare = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    Attributes:
        epochs: Passes over the training set.
        lr: Peak of the one-cycle learning rate; None for 0.1 with batch normalisation and 0.02
            without.
        batch_size: Samples per step.
        momentum: Nesterov momentum.
        weight_decay: L2 penalty.
        padding: Pixels by which crops are shifted at most.
        seed: Seeds order, crops, flips and dropout.
    """

    epochs: int = 10
    lr: float | None = None
    batch_size: int = 128
    momentum: float = 0.9
    weight_decay: float = 5e-4
    padding: int = 4
    seed: int = 0


@dataclass(frozen=True)
class LabelledPixels:
    """Pictures in memory.

    Attributes:
        pixels: (N, C, H, W), uint8.
        targets: Class indices (N,), int64.
    """

    pixels: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, indices: Tensor) -> LabelledPixels:
        """Return the pictures at some positions."""
        return LabelledPixels(self.pixels[indices], self.targets[indices])

    def split(self, share: float, seed: int) -> tuple[LabelledPixels, LabelledPixels]:
        """Split off a random `share`; returns the rest and the share."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        count = min(max(1, round(share * len(self))), len(self) - 1)
        return self.take(order[count:].sort().values), self.take(order[:count].sort().values)


def augment(pixels: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Shift every picture by up to `padding` pixels, mirroring its edges, and flip half of them.

    Args:
        pixels: (B, C, H, W).
        padding: Most pixels in each direction; cut to what the size allows.
        generator: Draws shifts and flips.

    >>> generator = torch.Generator().manual_seed(0)
    >>> augment(torch.zeros(2, 3, 8, 8), 4, generator).shape
    torch.Size([2, 3, 8, 8])
    """
    count, _, height, width = pixels.shape
    padding = min(padding, height - 1, width - 1)
    padded = F.pad(pixels.float(), [padding] * 4, mode="reflect")
    top, left = torch.randint(0, 2 * padding + 1, (2, count, 1), generator=generator)
    rows = top + torch.arange(height)
    columns = left + torch.arange(width)
    flipped = torch.rand(count, 1, generator=generator) < 0.5
    columns = torch.where(flipped, columns.flip(1), columns)
    samples = torch.arange(count)[:, None, None]
    # Advanced indices around the channel axis put that axis last.
    return padded[samples, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


class Trainer:
    """Trains a classifier epoch by epoch; an epoch depends on seed, number and state alone.

    Args:
        model: The classifier; changed in place.
        data: Training set.
        prepare: Maps pixels in [0, 1] (B, C, H, W) to inputs of the classifier.
        settings: How to train.
        device: Where to compute.
        autocast: Number format of the layers, or None for float32.

    Raises:
        ConfigError: The data have more classes than the classifier.
    """

    def __init__(
        self,
        model: nn.Module,
        data: LabelledPixels,
        prepare: Prepare,
        settings: TrainingSettings,
        device: torch.device,
        autocast: torch.dtype | None = None,
    ) -> None:
        self.model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.data = data
        self.prepare = prepare
        self.settings = settings
        self.device = device
        self.autocast = autocast
        self._check_classes()
        self.steps = math.ceil(len(data) / settings.batch_size)
        peak = _default_lr(model) if settings.lr is None else settings.lr
        self.optimizer = torch.optim.SGD(
            model.parameters(),
            lr=peak,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            nesterov=True,
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, peak, total_steps=settings.epochs * self.steps, cycle_momentum=False
        )

    @torch.no_grad()
    def _check_classes(self) -> None:
        self.model.eval()
        outputs = self._logits(self.data.pixels[:1]).shape[1]
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
        settings = self.settings
        generator = torch.Generator().manual_seed(settings.seed * 100_003 + epoch)
        order = torch.randperm(len(self.data), generator=generator)
        self.model.train()
        total = 0.0
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed * 100_003 + epoch)  # of dropout
            for indices in torch.split(order, settings.batch_size):
                batch = self.data.take(indices)
                loss = self._step(augment(batch.pixels, settings.padding, generator), batch.targets)
                if not math.isfinite(loss):
                    raise InputIBAError(
                        f"Training diverged in epoch {epoch + 1}: the loss is {loss}. Start again "
                        "with a lower --lr."
                    )
                total += loss * len(indices)
                on_step(loss)
        return total / len(self.data)

    def _step(self, pixels: Tensor, targets: Tensor) -> float:
        loss = F.cross_entropy(self._logits(pixels), targets.to(self.device))
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.schedule.step()
        return loss.item()

    def _logits(self, pixels: Tensor) -> Tensor:
        inputs = self.prepare(pixels.to(self.device).float() / 255)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(
            self.device.type, self.autocast or torch.bfloat16, enabled=self.autocast is not None
        ):
            logits: Tensor = self.model(inputs)
        return logits.float()

    @torch.no_grad()
    def accuracy(self, data: LabelledPixels) -> float:
        """Return the share of pictures whose class has the highest logit."""
        self.model.eval()
        right = 0
        for indices in torch.split(torch.arange(len(data)), 512):
            batch = data.take(indices)
            right += int((self._logits(batch.pixels).argmax(1).cpu() == batch.targets).sum())
        return right / len(data)

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


def _default_lr(model: nn.Module) -> float:
    normalised = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())
    return 0.1 if normalised else 0.02
