"""Training of classifiers of small images, shifted and flipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from input_iba.training.classifier import ClassifierTrainer, Labelled
from input_iba.training.settings import ImageTraining


def augment(pixels: Tensor, padding: int, generator: torch.Generator, flip: bool = True) -> Tensor:
    """Shift every image by up to `padding` pixels, mirroring its edges, and flip half of them.

    Args:
        pixels: (B, C, H, W).
        padding: Cut to what the size allows.
        generator: Draws shifts and flips.
        flip: False where a mirrored image means something else, as a digit does.

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
    flipped = torch.rand(count, 1, generator=generator) < (0.5 if flip else 0.0)
    columns = torch.where(flipped, columns.flip(1), columns)
    samples = torch.arange(count)[:, None, None]
    # Advanced indices around the channel axis put that axis last.
    return padded[samples, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


class ImageTrainer(ClassifierTrainer):
    """Trains a classifier of images.

    Unless given, the peak learning rate is 0.001 with layer normalisation, 0.1 with batch
    normalisation, and 0.02 without either.

    Args:
        prepare: Maps pixels in [0, 1] (B, C, H, W) to inputs of the classifier; for the others
            see `ClassifierTrainer`.
        movable: Whether images that are shifted or mirrored are of the same class.
    """

    settings: ImageTraining

    def __init__(
        self,
        model: nn.Module,
        data: Labelled,
        prepare: Callable[[Tensor], Tensor],
        settings: ImageTraining,
        device: torch.device,
        autocast: torch.dtype | None = None,
        held_out: Labelled | None = None,
        movable: bool = True,
    ) -> None:
        self.prepare, self.movable = prepare, movable
        model = model.to(memory_format=torch.channels_last)
        super().__init__(model, data, settings, device, autocast, held_out)

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return AdamW for transformers, stochastic gradient descent for other classifiers.

        References:
            Touvron et al. 2021 (arXiv 2012.12877), section 6, finds that vision transformers learn
            badly without AdamW.
        """
        settings, parameters = self.settings, self.model.parameters()
        transformer = _has(self.model, nn.LayerNorm)
        if settings.lr is not None:
            lr = settings.lr
        elif transformer:
            lr = 0.001
        else:
            lr = 0.1 if _has(self.model, nn.modules.batchnorm._BatchNorm) else 0.02
        if transformer:
            betas = (settings.momentum, 0.999)
            return torch.optim.AdamW(parameters, lr, betas, weight_decay=settings.transformer_decay)
        return torch.optim.SGD(
            parameters, lr, settings.momentum, weight_decay=settings.weight_decay, nesterov=True
        )

    def batches(self, generator: torch.Generator) -> Iterator[Labelled]:
        """Yield images, shifted and flipped where that leaves their class as it is."""
        for batch in super().batches(generator):
            yield Labelled(self.augmented(batch.inputs, generator), batch.targets)

    def augmented(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Return what an epoch shows instead of images (B, C, H, W), in the same range."""
        if not self.movable:
            return pixels
        return augment(pixels, self.settings.padding, generator, self.settings.flip)

    def logits(self, batch: Labelled) -> Tensor:
        """Return logits (B, classes)."""
        inputs = self.prepare(batch.inputs.to(self.device).float() / 255)
        logits: Tensor = self.model(inputs.contiguous(memory_format=torch.channels_last))
        return logits


def _has(model: nn.Module, kind: type[nn.Module]) -> bool:
    return any(isinstance(module, kind) for module in model.modules())
