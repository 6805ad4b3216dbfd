"""Training of classifiers of small pictures: SGD, shifted and flipped pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.models.training import Trainer, TrainingSettings

Prepare = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class PictureTraining(TrainingSettings):
    """How to train on pictures.

    Attributes:
        momentum: Nesterov momentum.
        weight_decay: L2 penalty.
        padding: Pixels by which crops are shifted at most.
    """

    momentum: float = 0.9
    weight_decay: float = 5e-4
    padding: int = 4


@dataclass(frozen=True)
class LabelledPixels:
    """Pictures in memory.

    Attributes:
        pixels: (N, C, H, W), uint8; augmented ones may be floats of the same range.
        targets: Class indices (N,), int64.
    """

    pixels: Tensor
    targets: Tensor

    def take(self, indices: Tensor) -> LabelledPixels:
        """Return the pictures at some positions."""
        return LabelledPixels(self.pixels[indices], self.targets[indices])


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


class PictureTrainer(Trainer[LabelledPixels]):
    """Trains a classifier of pictures.

    Args:
        model: The classifier; changed in place.
        data: Training set.
        prepare: Maps pixels in [0, 1] (B, C, H, W) to inputs of the classifier.
        settings: How to train; the peak learning rate is 0.1 with batch normalisation and 0.02
            without, unless given.
        device: Where to compute.
        autocast: Number format of the layers, or None for float32.
    """

    settings: PictureTraining

    def __init__(
        self,
        model: nn.Module,
        data: LabelledPixels,
        prepare: Prepare,
        settings: PictureTraining,
        device: torch.device,
        autocast: torch.dtype | None = None,
    ) -> None:
        self.prepare = prepare
        model = model.to(memory_format=torch.channels_last)
        super().__init__(model, data, settings, device, autocast)

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return stochastic gradient descent with Nesterov momentum."""
        settings = self.settings
        return torch.optim.SGD(
            self.model.parameters(),
            lr=_default_lr(self.model) if settings.lr is None else settings.lr,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            nesterov=True,
        )

    def batches(self, generator: torch.Generator) -> Iterator[LabelledPixels]:
        """Yield shifted and flipped pictures."""
        order = torch.randperm(len(self.data.targets), generator=generator)
        for indices in torch.split(order, self.settings.batch_size):
            batch = self.data.take(indices)
            pixels = augment(batch.pixels, self.settings.padding, generator)
            yield LabelledPixels(pixels, batch.targets)

    def logits(self, batch: LabelledPixels) -> Tensor:
        """Return logits (B, classes)."""
        inputs = self.prepare(batch.pixels.to(self.device).float() / 255)
        logits: Tensor = self.model(inputs.contiguous(memory_format=torch.channels_last))
        return logits


def _default_lr(model: nn.Module) -> float:
    normalised = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())
    return 0.1 if normalised else 0.02
