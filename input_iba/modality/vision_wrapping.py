"""Features of images as maps, however they lie in what flows at a layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from input_iba.core.classifier import run_alone
from input_iba.core.explainable import bare, weights_dtype
from input_iba.core.hooks import Read, Wrapping, find_layer, hooked, rewrap, unwrap
from input_iba.core.modes import frozen
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.errors import AttributionError, ConfigError
from input_iba.modality.axes import Size, axes_named
from input_iba.modality.layouts import (
    CHANNELS_FIRST,
    NAMED,
    Layout,
    Rearrange,
    Rearranged,
    fits,
    layout_of,
    possible,
)
from input_iba.modality.probe import changed_images, choose


class VisionWrapping(Wrapping):
    """Features as maps (B, C, h, w).

    How they lie is not guessed from names: parts of an image are changed one at a time, and of the
    layouts that the shape allows the one is taken in which the features change at these places.

    Args:
        layer: Its name, for messages.
        prefix: Tokens before those of the patches, where the network says so.
        suffix: Tokens behind them, likewise.
        reorder: What the network itself puts its tokens in order with, if it keeps them in another.
        convolved: Numbers of channels that convolutions and their norms in the layer, or in the
            module that it is in, put out.
        layout: How they lie, where the caller says so; see `layout_of`.
    """

    def __init__(
        self,
        layer: str,
        prefix: int | None = None,
        suffix: int = 0,
        reorder: Rearrange | None = None,
        convolved: frozenset[int] = frozenset(),
        layout: str | Rearrange | Layout | None = None,
    ) -> None:
        self.layer = layer
        self.prefix, self.suffix = prefix, suffix
        self.reorder = reorder
        self.convolved = convolved
        self._layout: Layout | None = None if layout is None else layout_of(layout)

    @torch.no_grad()
    def settle(self, read: Read, inputs: Tensor, tokens: Behind) -> None:
        """Find the layout on the first of the inputs, (B, C, H, W)."""
        if self._layout is not None:
            return
        images = changed_images(inputs[:1].detach())
        # One by one: whatever bound on rows there is, this is within it.
        one = tokens.select([0])
        values = [unwrap(read(image, one)) for image in torch.split(images, 1)]
        if values[0].ndim not in (3, inputs.ndim):
            return  # no map: that the features have no height and width is said where they are used
        self._layout = self.layout_of(values, 1, _size(images))

    def layout_of(self, values: Sequence[Tensor], rows: int, image: Size) -> Layout:
        """Return the layout of what flows at the layer for `changed_images`, in batches of `rows`.

        Raises:
            AttributionError: No layout is right.
        """
        value = values[0]
        layouts = [*possible(value, rows, image, self.prefix, self.suffix), *self._own_order(value)]
        # Late layers of small images react to all parts alike, and nothing can be seen: then
        # channels come first where a convolution or its norm says so. Along a single line a few
        # channels may seem to be in order by chance, so that of signals it comes before looking.
        shaped = value.ndim == len(image) + 2 and len(value) == rows and fits(value, image)
        convolved = shaped and value.shape[1] in self.convolved
        if convolved and len(image) == 1:
            return CHANNELS_FIRST
        if (layout := choose(values, layouts, image)) is not None:
            return layout
        if convolved:
            return CHANNELS_FIRST
        raise AttributionError(self._refusal(value, rows, layouts, len(image)))

    def unwrap(self, output: Any, inputs: Tensor) -> Tensor:
        """Return the features as maps for images (B, ·, H, W)."""
        value = unwrap(output)
        return value if self._layout is None else self._layout.maps(value, _size(inputs))

    def rewrap(self, output: Any, value: Tensor, inputs: Tensor) -> Any:
        """Put maps (B, C, h, w) in place of the features."""
        if self._layout is not None:
            value = self._layout.put(unwrap(output), value, _size(inputs))
        return rewrap(output, value)

    def _own_order(self, value: Tensor) -> list[Layout]:
        if self.reorder is None or value.ndim != 3:
            return []
        own = Rearranged(self.reorder)
        try:
            own.maps(value, (1, 1))  # of images alone
        except ConfigError:  # not a layer whose output it is for
            return []
        return [own]

    def _refusal(self, value: Tensor, rows: int, layouts: Sequence[Layout], dims: int) -> str:
        shape = f"{tuple(value.shape)} for {rows} image{'s' if rows > 1 else ''}"
        remedy = (
            "Choose the block around it, or say how its output lies with layout=: "
            f"{', '.join(NAMED)}, or a function from that output to maps (B, {axes_named(dims)})."
        )
        if rows not in value.shape[:2]:
            return (
                f"Layer {self.layer!r} puts out shape {shape}: windows or patches are folded into "
                f"the batch dimension, which has to be one row per image. {remedy}"
            )
        if layouts:
            return (
                f"Layer {self.layer!r} puts out shape {shape}, and where a part of an image "
                "changes, its features do not: their positions are in an order of their own, such "
                f"as that of windows, or cannot be told from channels. {remedy}"
            )
        return (
            f"Layer {self.layer!r} puts out shape {shape}, which is not a grid of positions over "
            f"the image, with or without tokens of no place before it. {remedy}"
        )


def vision_wrapping(
    model: nn.Module, layer: str, layout: str | Rearrange | None = None
) -> VisionWrapping:
    """Return how a layer of a classifier of images, of whatever library, puts out its features."""
    owners = list(_owners(model, layer))
    convolved = _convolved(find_layer(model, layer)) | _convolved(owners[0])
    prefix, reorder = _prefix_tokens(owners), _reorder(owners, layer)
    return VisionWrapping(layer, prefix, _suffix_tokens(model), reorder, convolved, layout)


def layouts_of(
    model: nn.Module, example: Tensor, tokens: Behind = NO_TOKENS
) -> dict[str, tuple[Layout, Size]]:
    """Return how the features lie in what every layer puts out, in the order of their calls.

    Returns:
        By name of a layer, its layout, and height and width of its maps for an image (1, C, H, W).
        Layers that are called more than once are left out, and those whose features do not change
        where the image does.
    """
    images = changed_images(example)
    found: dict[str, tuple[Layout, Size]] = {}
    again: set[str] = set()

    def look(name: str, wrapping: VisionWrapping, output: Any) -> Any:
        if name in found:
            again.add(name)
            return output
        with suppress(AttributionError):
            value = unwrap(output)
            layout = wrapping.layout_of([value], len(images), _size(images))
            found[name] = (layout, _size(layout.maps(value, _size(images))))
        return output

    with ExitStack() as stack, torch.no_grad():
        stack.enter_context(frozen(model))
        for name, module in model.named_modules():
            if name:
                noted = partial(look, name, vision_wrapping(model, name))
                stack.enter_context(hooked(module, noted))
        own = images.to(weights_dtype(model) or images.dtype, copy=True)
        run_alone(model, own, tokens.repeat(len(images)))
    return {name: layout for name, layout in found.items() if name not in again}


def _owners(model: nn.Module, layer: str) -> Iterator[nn.Module]:
    """Yield the modules that a layer is in, from the innermost."""
    modules = dict(bare(model).named_modules()) | dict(model.named_modules())
    names = layer.split(".")
    for end in range(len(names) - 1, -1, -1):
        if (owner := modules.get(".".join(names[:end]))) is not None:
            yield owner


def _reorder(owners: Sequence[nn.Module], layer: str) -> Rearrange | None:
    """Return what puts the tokens of a block in order, as Hiera's `reroll` of (B, N, C) does."""
    block = next((int(name) for name in layer.split(".") if name.isdecimal()), None)
    for owner in owners:
        reroll = getattr(owner, "reroll", None)
        if callable(reroll) and block is not None:
            return lambda value: reroll(value, block).permute(0, 3, 1, 2)
    return None


def _convolved(layer: nn.Module) -> frozenset[int]:
    """Return how many channels, in the second dimension, the modules of a module put out."""
    convolutions = (m.out_channels for m in layer.modules() if isinstance(m, _ConvNd))
    norms = (m.num_features for m in layer.modules() if isinstance(m, _NormBase))
    return frozenset([*convolutions, *norms])


def _prefix_tokens(owners: Sequence[nn.Module]) -> int | None:
    """Return how many tokens of no place the innermost owner of a layer says that there are."""
    for owner in owners:
        count = getattr(owner, "num_prefix_tokens", None)  # timm
        if isinstance(count, int):
            return count
        if isinstance(getattr(owner, "class_token", None), Tensor):  # torchvision
            return 1
    return None


def _suffix_tokens(model: nn.Module) -> int:
    """Return how many tokens of detections a model of `transformers` appends to the patches."""
    count = getattr(getattr(bare(model), "config", None), "num_detection_tokens", 0)
    return count if isinstance(count, int) else 0


def _size(inputs: Tensor) -> Size:
    return tuple(inputs.shape[2:])
