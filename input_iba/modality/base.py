"""What a kind of input has to say about itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from input_iba.core.arguments import NO_ARGUMENTS, Arguments
from input_iba.core.classifier import run_alone
from input_iba.core.hooks import Wrapping
from input_iba.core.targets import Facts
from input_iba.core.tokens import Behind
from input_iba.core.watched import Tap

Layout = str | Callable[[Tensor], Tensor]
"""How features lie: a name that the kind of input knows, or a function that rearranges them."""


class Modality(ABC):
    """The differences between kinds of input; everything else is shared.

    Shapes below are those of images, (S, C, H, W) at the input and (S, C', h, w) at the layer. Of
    signals and volumes they have one and three dimensions in place of H and W. Of text they are
    (S, T, E) and (S, T, D).

    Attributes:
        kind: What inputs of the kind are called.
        channels: Which dimension of the inputs the channels are, or the embedding's dimensions.
        movable: Whether a part of an input is an input, too; see `moved`.
    """

    kind: ClassVar[str] = "images"
    channels: ClassVar[int] = 1
    movable: ClassVar[bool] = True

    @abstractmethod
    def enter(self, model: nn.Module, inputs: Tensor) -> tuple[Tensor, Behind]:
        """Turn images (S, C, H, W), or token ids (S, T), into what the input bottleneck masks.

        Returns:
            Floating-point values, (S, …), and what stands behind them.
        """

    def read(self, model: nn.Module, inputs: Tensor) -> tuple[Tensor, Behind]:
        """Return what `enter` does, also of inputs of which nothing is left to be masked."""
        return self.enter(model, inputs)

    def run(self, model: nn.Module, inputs: Tensor, tokens: Behind) -> Any:
        """Run the classifier on what `enter` returned, or a noisy version of it."""
        return run_alone(model, inputs, tokens)

    @abstractmethod
    def choose_layer(
        self, model: nn.Module, example: Tensor, beside: Arguments = NO_ARGUMENTS
    ) -> str:
        """Return the name of a layer to put the feature bottleneck at, found on one input (1, …).

        The model is called with it and with what stands `beside` it.

        Raises:
            ConfigError: No layer will do.
        """

    @abstractmethod
    def taps(
        self,
        model: nn.Module,
        example: Tensor,
        tokens: Behind,
        run: Callable[[], object],
        read: Tensor | None,
    ) -> tuple[Tap, ...]:
        """Return the layers that an explainer reads, the last one last.

        They are found on one input as `enter` returned it, (1, …). `run` runs the classifier on it;
        `read` (1, D) is what its last linear layer then reads, if it has one.

        Raises:
            ConfigError: There is none.
        """

    def wrapping(
        self, model: nn.Module, layer: str, side: str, layout: Layout | None = None
    ) -> Wrapping:
        """Return how the features lie in what flows at a side of a layer, 'output' or 'input'.

        `layout` says how they lie, where the caller knows: a name, or a function from what flows at
        the layer to features.
        """
        return Wrapping()

    def padded(self, model: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return an input of a user's, a little shorter, without and with padding behind it.

        None where inputs are not padded, or the classifier does not say that they may be.
        """
        return None

    def facts(
        self, values: Tensor, tokens: Behind, class_names: Sequence[str], use_softmax: bool
    ) -> list[Facts]:
        """Return what targets are told of each of S inputs, as `enter` returned them."""
        return [Facts(class_names, use_softmax, tuple(values.shape[2:]))] * len(values)

    def one_by_one(self, inputs: Tensor) -> list[Tensor]:
        """Return S inputs of a user's as S of one each, (1, …), without padding."""
        return list(torch.split(inputs, 1))

    @abstractmethod
    def variations(self, inputs: Tensor, count: int) -> Iterator[Tensor]:
        """Yield other views of a user's inputs, as `enter` takes them, (1, …) each."""

    def moved(
        self, inputs: Tensor, maps: Tensor, crop: float, flip: bool, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return other views of a user's inputs (B, …), and of maps of them at any resolution.

        `crop` is the least share of an image that is left, `flip` whether half are mirrored. Of
        text there is one view.
        """
        return inputs, maps

    def observations(self, features: Tensor, tokens: Behind) -> Tensor:
        """Return features (S, C', h, w) as observations (n, …) for the layer's statistics."""
        return features

    @abstractmethod
    def check_features(self, features: Tensor, inputs: Tensor, layer: str) -> None:
        """Refuse features (S, …) of inputs (S, …) that cannot be drawn as a map.

        Raises:
            AttributionError: Names the layer, the shape, and what is expected.
        """

    @abstractmethod
    def smooth(self, mask: Tensor, sigma: float) -> Tensor:
        """Smooth masks (S, C, h, w) of any resolution, with sigma in their own pixels."""

    def smooth_map(self, maps: Tensor, share: float) -> Tensor:
        """Smooth maps (S, H, W) with a deviation that is a share of their shorter side."""
        return self.smooth(maps[:, None], share * min(maps.shape[1:]))[:, 0]

    @abstractmethod
    def position_bits(self, capacity: Tensor) -> Tensor:
        """Sum feature capacity (S, C', h, w) in nats to bits per position, (S, h, w)."""

    @abstractmethod
    def saliency(self, capacity: Tensor, inputs: Tensor) -> Tensor:
        """Spread feature capacity in nats over the input: bits per pixel, (S, H, W)."""

    @abstractmethod
    def spread(self, values: Tensor, inputs: Tensor) -> Tensor:
        """Spread one value per position of features, (S, 1, h, w), over the input: (S, H, W)."""

    @abstractmethod
    def expand(self, saliency: Tensor, inputs: Tensor) -> Tensor:
        """Repeat a map (S, H, W) over the channels of `inputs`, (S, C, H, W)."""

    @abstractmethod
    def to_map(self, mask: Tensor) -> Tensor:
        """Reduce a mask (S, C, H, W) to a map (S, H, W)."""

    @abstractmethod
    def noise_shape(self, inputs: Tensor) -> tuple[int, ...]:
        """Return the shape of the prior's learned noise mean and deviation, such as (C, 1, 1)."""

    @abstractmethod
    def critic(self, features: Tensor) -> nn.Module:
        """Build a fresh critic of features (S, C', h, w); of text also of what is scored, (T,)."""

    def picture(self, one: Tensor) -> Tensor | None:
        """Return one input, as `enter` returned it, to look at, uint8 (3, H, W); else None.

        Of signals it is (C, T) of floating-point values.
        """
        return None

    @abstractmethod
    def window(
        self, inputs: Tensor, side: float, stride: float
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shape of what is blank at once in (S, …), and the distance of two of these.

        `side` and `stride` are shares of the input's shorter side.
        """

    @abstractmethod
    def segments(self, inputs: Tensor, tokens: Behind, kind: str, tiles: int) -> Tensor:
        """Return the number of each position's segment in one input (1, …), from 0 without a gap.

        Of images `kind` is one of `SEGMENTS`, and `tiles` the segments per side.
        """
