"""The ways in which features of images lie in what flows at a layer, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from input_iba.errors import AttributionError, ConfigError, closest
from input_iba.modality.axes import Size, axes_named, grid_size

MAX_PREFIX_TOKENS = 16
"""Class, distillation and register tokens that are looked for before the tokens of the patches."""

Rearrange = Callable[[Tensor], Tensor]
"""Maps what flows at a layer, (B, …), to maps (B, C, h, w); moves values and computes nothing."""


class Layout(ABC):
    """Where channels, rows and columns of features lie."""

    @abstractmethod
    def maps(self, value: Tensor, image: Size) -> Tensor:
        """Return features as maps (B, C, h, w), for images of a height and width.

        Raises:
            AttributionError: The value does not lie so.
        """

    @abstractmethod
    def put(self, value: Tensor, maps: Tensor, image: Size) -> Tensor:
        """Return a value with other maps in it, and the rest as it was."""


@dataclass(frozen=True)
class Axes(Layout):
    """Maps (B, …) with an axis for each of the input's, and one for the channels.

    Attributes:
        channels: Which axis of the value the channels are.
    """

    name: str
    channels: int

    def maps(self, value: Tensor, image: Size) -> Tensor:
        """Move the channels' axis behind the batch."""
        if value.ndim != len(image) + 2:
            raise AttributionError(_not_so(self.name, value, f"{len(image) + 2} dimensions"))
        return value.movedim(self.channels, 1)

    def put(self, value: Tensor, maps: Tensor, image: Size) -> Tensor:
        """Move it back."""
        return maps.movedim(1, self.channels)


@dataclass(frozen=True)
class TokenLayout(Layout):
    """Sequences of P tokens of no place, such as the class token, and h·w tokens row by row.

    Attributes:
        order: Axes of the value that are batch, tokens and channels.
        prefix: P; None for the least with which the others make up a grid.
        suffix: Tokens of no place behind the others, such as those that stand for detections.
    """

    name: str
    order: tuple[int, int, int]
    prefix: int | None = None
    suffix: int = 0

    def maps(self, value: Tensor, image: Size) -> Tensor:
        """Leave the first tokens out, and cut the others into rows."""
        if value.ndim != 3:
            raise AttributionError(_not_so(self.name, value, "three dimensions"))
        tokens = value.permute(self.order)
        prefix, size = self._grid(tokens.shape[1], value, image)
        placed = tokens[:, prefix : tokens.shape[1] - self.suffix]
        return placed.mT.reshape(tokens.shape[0], -1, *size)

    def put(self, value: Tensor, maps: Tensor, image: Size) -> Tensor:
        """String the rows together behind the first tokens."""
        tokens = value.permute(self.order)
        prefix, _ = self._grid(tokens.shape[1], value, image)
        behind = tokens[:, tokens.shape[1] - self.suffix :]
        again = torch.cat([tokens[:, :prefix], maps.flatten(2).mT, behind], dim=1)
        return again.permute([self.order.index(axis) for axis in range(3)])

    def _grid(self, count: int, value: Tensor, image: Size) -> tuple[int, Size]:
        for prefix in range(MAX_PREFIX_TOKENS + 1) if self.prefix is None else (self.prefix,):
            size = grid_size(count - prefix - self.suffix, *image)
            if size is not None:
                return prefix, size
        raise AttributionError(
            _not_so(self.name, value, f"a grid over {'×'.join(map(str, image))}")
        )


@dataclass(frozen=True)
class Rearranged(Layout):
    """Features that a caller's function rearranges to maps; where each value goes is looked up.

    It is called once for every shape, with the numbers of the elements in their places.
    """

    function: Rearrange
    _places: dict[tuple[int, ...], Tensor] = field(default_factory=dict, repr=False, compare=False)

    name: ClassVar[str] = "a function"

    def maps(self, value: Tensor, image: Size) -> Tensor:
        """Take every value of the maps from its place."""
        return value.reshape(-1)[self._places_in(value, image)]

    def put(self, value: Tensor, maps: Tensor, image: Size) -> Tensor:
        """Put every value of the maps into its place."""
        places = self._places_in(value, image)
        flat = value.reshape(-1).index_put((places.flatten(),), maps.reshape(-1))
        return flat.view(value.shape)

    def _places_in(self, value: Tensor, image: Size) -> Tensor:
        shape = tuple(value.shape)
        if shape not in self._places:
            numbers = torch.arange(value.numel(), dtype=torch.float64).view(shape)
            try:
                found = self.function(numbers)
            except Exception as error:  # of the caller's own
                raise ConfigError(
                    f"layout= cannot rearrange what flows at the layer, {shape}: "
                    f"{type(error).__name__}: {error}."
                ) from error
            dims = len(image) + 2
            if found.ndim != dims or not _moved(found, value.numel()):
                computed = " with values that were not moved but computed"
                raise ConfigError(
                    f"layout= must rearrange what flows at the layer, {shape}, to maps "
                    f"(B, {axes_named(len(image))}); it returned shape {tuple(found.shape)}"
                    f"{'' if found.ndim != dims else computed}."
                )
            self._places[shape] = found.long()
        return self._places[shape].to(value.device)


def _moved(found: Tensor, count: int) -> bool:
    """Return whether values are whole numbers below a count, each at most once."""
    places = found.long().flatten()
    if bool((places < 0).any() | (places >= count).any() | (places != found.flatten()).any()):
        return False
    return int(torch.bincount(places, minlength=1).max()) <= 1


CHANNELS_FIRST = Axes("channels_first", 1)
CHANNELS_LAST = Axes("channels_last", -1)
TOKENS = TokenLayout("tokens", (0, 1, 2))
CHANNELS_THEN_TOKENS = TokenLayout("channels_then_tokens", (0, 2, 1))
SEQUENCE_FIRST = TokenLayout("sequence_first", (1, 0, 2))
NAMED: dict[str, Axes | TokenLayout] = {
    layout.name: layout
    for layout in (CHANNELS_FIRST, CHANNELS_LAST, TOKENS, CHANNELS_THEN_TOKENS, SEQUENCE_FIRST)
}
"""By name: (B, C, h, w), (B, h, w, C), (B, P + h·w, C), (B, C, P + h·w), (P + h·w, B, C)."""


def layout_of(asked: str | Rearrange | Layout) -> Layout:
    """Return the layout of a name, or of a function from what flows at a layer to maps.

    Raises:
        ConfigError: There is none of that name.
    """
    if isinstance(asked, Layout):
        return asked
    if callable(asked):
        return Rearranged(asked)
    if asked not in NAMED:
        raise ConfigError(
            f"Unknown layout {asked!r}.{closest(asked, NAMED)} Known: {', '.join(NAMED)}."
        )
    return NAMED[asked]


def possible(
    value: Tensor, rows: int, image: Size, prefix: int | None, suffix: int = 0
) -> Iterator[Layout]:
    """Yield the layouts that the shape of a value for `rows` images allows, the likelier first.

    `prefix` and `suffix` are what the network itself says of tokens before and behind the others.
    """
    if value.ndim == len(image) + 2 and len(value) == rows:
        both = (CHANNELS_FIRST, CHANNELS_LAST)
        yield from sorted(both, key=lambda axes: not fits(axes.maps(value, image), image))
    if value.ndim != 3:
        return
    known = () if prefix is None else (prefix,)
    for layout in (TOKENS, SEQUENCE_FIRST, CHANNELS_THEN_TOKENS):
        if value.shape[layout.order[0]] != rows:
            continue
        # Among many channels chance would find some, and no network has tokens of no place there.
        others = range(1 if layout is CHANNELS_THEN_TOKENS else MAX_PREFIX_TOKENS + 1)
        for count in dict.fromkeys((*known, *others)):
            for behind in dict.fromkeys((suffix, 0)):
                patches = value.shape[layout.order[1]] - count - behind
                if count <= patches / 2 and grid_size(patches, *image) is not None:
                    yield TokenLayout(layout.name, layout.order, count, behind)


def fits(maps: Tensor, image: Size) -> bool:
    """Return whether maps (B, C, h, w) have the proportions of an image, up to what borders cut.

    Of signals they need to be no longer, and of volumes slices count: networks reduce the depth,
    such as the time of a video, less than height and width.
    """
    if len(image) == 1:
        return maps.shape[2] <= image[0]
    height, width = maps.shape[-2:]
    wanted = height * image[-1] / image[-2]
    return abs(wanted - width) < 1 + 0.1 * max(width, wanted)


def _not_so(name: str, value: Tensor, expected: str) -> str:
    return (
        f"The features do not lie as layout={name!r} says: expected {expected}, got shape "
        f"{tuple(value.shape)}. Give another layout=."
    )
