"""Signals, images and volumes with one planted burst, and networks that look for it."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
SIDES = {1: 64, 2: 24, 3: 12}
WIDTHS = {1: 8, 2: 6, 3: 4}
BURST = 1.5


def planted(count: int, dims: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return noise with a bright or dark burst, the class of it, and where it is.

    Inputs are (S, 1, *spatial), classes (S,), places (S, *spatial), bool.
    """
    generator = torch.Generator().manual_seed(seed)
    side, width = SIDES[dims], WIDTHS[dims]
    inputs = 0.5 * torch.randn(count, 1, *[side] * dims, generator=generator)
    classes = torch.randint(0, 2, (count,), generator=generator)
    corners = torch.randint(0, side - width + 1, (count, dims), generator=generator)
    places = torch.zeros(count, *[side] * dims, dtype=torch.bool)
    for place, corner in zip(places, corners.tolist(), strict=True):
        place[tuple(slice(start, start + width) for start in corner)] = True
    signs = (2 * classes - 1).view(-1, *[1] * dims)
    return inputs + (BURST * signs * places)[:, None], classes, places


def network(dims: int, channels: int = 8, classes: int = 2) -> nn.Sequential:
    """Return a small untrained convolutional network; layers '1' and '4' put out maps."""
    convolution = CONVOLUTIONS[dims]
    return nn.Sequential(
        *(convolution(1, channels, 3, padding=1), nn.ReLU()),
        POOLS[dims](2),
        *(convolution(channels, channels, 3, padding=1), nn.ReLU()),
        *(Mean(), nn.Linear(channels, classes)),
    )


class Mean(nn.Module):
    """The mean over all places."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.flatten(2).mean(2)


def train(model: nn.Module, *inputs: Tensor, classes: Tensor, steps: int = 80) -> None:
    """Train a model on some inputs, not so far that it is sure whatever the noise."""
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        some = torch.randint(0, len(classes), (64,), generator=generator)
        logits = model(*(values[some] for values in inputs))
        loss = F.cross_entropy(logits, classes[some], label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    model.eval()


@cache
def trained(dims: int) -> nn.Sequential:
    """Return a network that tells dark bursts (0), bright ones (1) and none (2) apart."""
    torch.manual_seed(0)
    model = network(dims, classes=3)
    inputs, classes = usual_inputs(dims)
    train(model, inputs, classes=classes)
    return model


def usual_inputs(dims: int) -> tuple[Tensor, Tensor]:
    """Return 192 inputs with a burst and 64 without, and their classes."""
    inputs, classes, places = planted(256, dims, seed=0)
    empty = torch.arange(256) >= 192
    signs = (2 * classes - 1).view(-1, *[1] * dims)
    inputs = inputs - (BURST * signs * places * empty.view(-1, *[1] * dims))[:, None]
    return inputs, classes.where(~empty, 2)
