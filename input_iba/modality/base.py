"""What a kind of input has to say about itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from input_iba.core import hooks


class Modality(ABC):
    """The differences between kinds of input; everything else is shared.

    Shapes below are those of images, (S, C, H, W) at the input and (S, C', h, w) at the layer.
    """

    def unwrap(self, output: Any) -> Tensor:
        """Take the features out of what a layer puts out."""
        return hooks.unwrap(output)

    def rewrap(self, output: Any, value: Tensor) -> Any:
        """Put other features in their place."""
        return hooks.rewrap(output, value)

    @abstractmethod
    def check_features(self, features: Tensor, layer: str) -> None:
        """Refuse features that cannot be drawn as a map.

        Raises:
            AttributionError: Names the layer, the shape, and what is expected.
        """

    @abstractmethod
    def smooth(self, mask: Tensor, sigma: float) -> Tensor:
        """Smooth a mask of any resolution, with sigma in its own pixels."""

    @abstractmethod
    def position_bits(self, capacity: Tensor) -> Tensor:
        """Sum feature capacity (S, C', h, w) in nats to bits per position, (S, h, w)."""

    @abstractmethod
    def saliency(self, capacity: Tensor, inputs: Tensor) -> Tensor:
        """Spread feature capacity in nats over the input: bits per pixel, (S, H, W)."""

    @abstractmethod
    def expand(self, saliency: Tensor, inputs: Tensor) -> Tensor:
        """Repeat a map (S, H, W) over the channels of `inputs`, (S, C, H, W)."""

    @abstractmethod
    def to_map(self, mask: Tensor) -> Tensor:
        """Reduce a mask (S, C, H, W) to a map (S, H, W)."""

    @abstractmethod
    def noise_shape(self, inputs: Tensor) -> tuple[int, ...]:
        """Return the shape of the prior's learned noise mean and deviation, e.g. (C, 1, 1)."""

    @abstractmethod
    def critic(self, features: Tensor) -> nn.Module:
        """Build a critic, freshly initialised, for features of the shape (S, C', h, w)."""
