"""Several inputs of a network that are masked together, packed side by side in one tensor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor, nn

from input_iba.core.arguments import NO_ARGUMENTS, Arguments
from input_iba.core.hooks import Wrapping, hooked, unwrap
from input_iba.core.modes import frozen, same
from input_iba.core.tokens import Behind, NoTokens
from input_iba.errors import AttributionError, ConfigError
from input_iba.modality.base import Layout
from input_iba.modality.critics import VisionCritic
from input_iba.modality.vision import VisionModality


class SeveralModality(VisionModality):
    """Several inputs of any shapes, which a model takes one after the other.

    They are packed, (S, 1, N), with one mask for all N values. Where the values of a layer behind
    them lie is not asked: its bits are shared out evenly, and what the input bottleneck learns says
    which of the inputs, and what of it, has them.

    Args:
        shapes: Shape of one sample of each input: (C, T), (C, H, W), (C, D, H, W), or (F,) of
            numbers without neighbours.
    """

    kind: ClassVar[str] = "several inputs"

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        super().__init__(dims=1)
        self.shapes = [tuple(shape) for shape in shapes]
        self.counts = [math.prod(shape) for shape in self.shapes]

    def packed(self, inputs: Sequence[Tensor]) -> Tensor:
        """Pack inputs (S, …), in their order, as (S, 1, N)."""
        return torch.cat([values.flatten(1) for values in inputs], 1)[:, None]

    def unpacked(self, values: Tensor) -> list[Tensor]:
        """Return what is packed, or masks of it, (S, 1, N), as (S, …) each."""
        parts = torch.split(values[:, 0], self.counts, 1)
        return [p.reshape(len(p), *shape) for p, shape in zip(parts, self.shapes, strict=True)]

    def enter(self, model: nn.Module, inputs: Tensor) -> tuple[Tensor, NoTokens]:
        """Return packed inputs as they are.

        Raises:
            AttributionError: They are of other shapes.
        """
        if inputs.shape[1:] != (1, sum(self.counts)):
            shapes = " and ".join(map(str, self.shapes))
            raise AttributionError(
                f"Expected inputs of shapes {shapes} as the first ones were, which hold "
                f"{sum(self.counts)} values; got {math.prod(inputs.shape[1:])}."
            )
        return super().enter(model, inputs)

    def run(self, model: nn.Module, inputs: Tensor, tokens: Behind) -> Any:
        """Give every input to the model, and then what stands beside them."""
        return model(*self.unpacked(inputs), *tokens.beside.copied())

    def choose_layer(
        self, model: nn.Module, example: Tensor, beside: Arguments = NO_ARGUMENTS
    ) -> str:
        """Return the first layer that changes with each of the inputs."""
        parts = self.unpacked(example)
        ways = [self.packed(parts)]
        for i in range(len(parts)):
            ways.append(self.packed([-p if j == i else p for j, p in enumerate(parts)]))
        first, *changed = [self._outputs(model, way, NoTokens(beside)) for way in ways]
        for name, outputs in first.items():
            others = [found[name] for found in changed]
            if len(outputs) == 1 and not any(same(outputs[0], other[0]) for other in others):
                return name
        raise ConfigError(
            f"No layer of {type(model).__name__} changes with each of the {len(parts)} inputs, so "
            "none can be chosen. Give the name of one behind all of them (layer=)."
        )

    @torch.no_grad()
    def _outputs(self, model: nn.Module, inputs: Tensor, tokens: Behind) -> dict[str, list[Tensor]]:
        """Return what every layer puts out, call by call, in the order in which they finish."""
        found: dict[str, list[Tensor]] = {}

        def note(name: str, output: Any) -> Any:
            found.setdefault(name, []).append(unwrap(output).clone())
            return output

        with ExitStack() as stack:
            stack.enter_context(frozen(model))
            for name, module in model.named_modules():
                if name:
                    stack.enter_context(hooked(module, partial(note, name)))
            self.run(model, inputs.clone(), tokens)
        return found

    def wrapping(
        self, model: nn.Module, layer: str, side: str, layout: Layout | None = None
    ) -> Wrapping:
        """Take features as they lie."""
        return Wrapping()

    def variations(self, inputs: Tensor, count: int) -> Iterator[Tensor]:
        """Yield crops of all inputs; numbers without neighbours stay those of one sample."""
        parts = self.unpacked(inputs)
        views = [
            super(SeveralModality, self).variations(part, count)
            if part.ndim > 2
            else (part[i % len(part)][None] for i in range(count))
            for part in parts
        ]
        for together in zip(*views, strict=True):
            yield self.packed(together)

    def check_features(self, features: Tensor, inputs: Tensor, layer: str) -> None:
        """Take features of any shape."""

    def smooth(self, mask: Tensor, sigma: float) -> Tensor:
        """Smooth every input's part by itself, and leave features as they are."""
        return self._smoothed(mask, [sigma] * len(self.shapes))

    def smooth_map(self, maps: Tensor, share: float) -> Tensor:
        """Smooth every input's part with a deviation that is a share of its own shorter side."""
        sigmas = [share * min(shape[1:] or shape) for shape in self.shapes]
        return self._smoothed(maps[:, None], sigmas)[:, 0]

    def _smoothed(self, mask: Tensor, sigmas: Sequence[float]) -> Tensor:
        if mask.shape[1:] != (1, sum(self.counts)):
            return mask
        parts = zip(self.unpacked(mask), sigmas, strict=True)
        smooth = super().smooth
        return self.packed([smooth(p, sigma) if p.ndim > 2 else p for p, sigma in parts])

    def position_bits(self, capacity: Tensor) -> Tensor:
        """Keep one value per feature."""
        return capacity / math.log(2)

    def saliency(self, capacity: Tensor, inputs: Tensor) -> Tensor:
        """Share the bits out evenly over the values of all inputs, (S, N)."""
        even = self.position_bits(capacity).flatten(1).sum(1, keepdim=True) / inputs.shape[2]
        return even.expand(-1, inputs.shape[2]).contiguous()

    def critic(self, features: Tensor) -> nn.Module:
        """Build a critic of features, as of a signal where they have no positions."""
        if features.ndim > 2:
            return super().critic(features)
        return nn.Sequential(nn.Unflatten(1, (1, -1)), VisionCritic(1, features.shape[1]))

    def taps(self, *_: object) -> NoReturn:
        """Refuse to choose layers: where their positions lie is not known.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(
            "The model has several inputs, for which no explainer can be trained. Explain them "
            "with InputIBA; or one of them, and pass the others as additional_forward_args=."
        )

    def spread(self, values: Tensor, inputs: Tensor) -> Tensor:
        """Refuse to lay a layer's positions over several inputs.

        Raises:
            AttributionError: Always.
        """
        raise AttributionError(
            "Where a layer's positions lie in several inputs is not known. Explain one of them, "
            "and pass the others as additional_forward_args=."
        )
