"""What decoders of explainers are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.modality.critics import CONVOLUTIONS

WIDTH = 32
"""Channels of a decoder."""

ASKED = 64
"""Numbers in which a decoder keeps what is asked."""


class Decoder(nn.Module, ABC):
    """What an explainer puts its mask out with: from features (B, …) to the logit of a mask."""

    @abstractmethod
    def fit(self, features: Sequence[Tensor], asked: Tensor) -> None:
        """Measure the channels of features (n, …) of each tap, and what they say for `asked`."""

    @abstractmethod
    def enlarged(self, found: Tensor, inputs: Tensor) -> Tensor:
        """Return the logit that is put out as that of a mask of inputs (B, …)."""

    @abstractmethod
    def read(self, shares: Tensor, inputs: Tensor) -> Tensor:
        """Return a map of inputs (B, …), whatever its sum, from shares that are smooth."""

    @abstractmethod
    def reduced(self, maps: Tensor) -> Tensor:
        """Return maps (B, …) at the resolution of what is put out."""


class Standardised(nn.Module):
    """Features of which every channel has mean 0 and deviation 1 over the inputs of `fit`."""

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int, axis: int, ndim: int) -> None:
        super().__init__()
        self.axis = axis
        shape = [1] * ndim
        shape[axis] = channels
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("scale", torch.ones(shape))

    @torch.no_grad()
    def fit(self, features: Tensor) -> None:
        """Measure the channels of features (n, …)."""
        rows = features.float().movedim(self.axis, 0).flatten(1)
        self.mean.copy_(rows.mean(1).view_as(self.mean))
        self.scale.copy_(rows.std(1).clamp_min(1e-4).reciprocal().view_as(self.scale))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, …) to the same shape."""
        standardised: Tensor = (features - self.mean) * self.scale
        return standardised.to(self.mean.dtype)


class Asked(nn.Module):
    """Scales and shifts channels by what is asked.

    References:
        Perez et al. 2018 (arXiv 1709.07871), feature-wise linear modulation.
    """

    def __init__(self, channels: int, axis: int, ndim: int) -> None:
        super().__init__()
        self.axis, self.ndim = axis, ndim
        self.layer = nn.Linear(ASKED, 2 * channels)
        nn.init.zeros_(self.layer.bias)

    def forward(self, features: Tensor, asked: Tensor) -> Tensor:
        """Change features (B, …) by what is asked, (B, ASKED)."""
        shape = [features.shape[0], *[1] * (self.ndim - 1)]
        shape[self.axis] = -1
        scale, shift = (part.reshape(shape) for part in self.layer(asked).chunk(2, 1))
        changed: Tensor = features * (1 + scale) + shift
        return changed


class Block(nn.Module):
    """Mixes neighbours, then channels, and adds what comes of it.

    References:
        Liu et al. 2022 (arXiv 2201.03545), section 2; Zhang and Sennrich 2019 (arXiv 1910.07467),
        root mean square normalisation, here over the channels of each position.
    """

    def __init__(self, channels: int, dims: int, kernel: int = 5) -> None:
        super().__init__()
        convolution = CONVOLUTIONS[dims]
        padding = kernel // 2
        self.near = convolution(channels, channels, kernel, padding=padding, groups=channels)
        self.into = convolution(channels, 2 * channels, 1)
        self.back = convolution(2 * channels, channels, 1)
        nn.init.zeros_(self.back.weight)

    def forward(self, values: Tensor) -> Tensor:
        """Map (B, C, …) to the same shape."""
        near = self.near(values)
        near = near * near.square().mean(1, keepdim=True).add(1e-6).rsqrt()
        mixed: Tensor = self.back(F.gelu(self.into(near)))
        added: Tensor = values + mixed
        return added
