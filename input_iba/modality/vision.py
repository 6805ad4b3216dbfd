"""Images, signals and volumes: inputs (S, C, H, W), features (S, C', h, w), maps (S, H, W).

Of signals H and W are a length T, of volumes and videos they are D, H and W.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.core.arguments import NO_ARGUMENTS, Arguments
from input_iba.core.hooks import Wrapping
from input_iba.core.smoothing import gaussian_smooth
from input_iba.core.tokens import NO_TOKENS, Behind, NoTokens
from input_iba.core.watched import Tap
from input_iba.errors import AttributionError, ConfigError
from input_iba.modality.axes import KINDS, LINEAR, axes_named
from input_iba.modality.base import Layout, Modality
from input_iba.modality.critics import CONVOLUTIONS, VisionCritic
from input_iba.modality.layer_choice import choose_image_layer
from input_iba.modality.segments import segment
from input_iba.modality.tap_choice import image_taps
from input_iba.modality.vision_wrapping import vision_wrapping


class VisionModality(Modality):
    """Images, signals or volumes of any number of channels and any size.

    Args:
        dims: Number of spatial dimensions: 1 for signals (C, T), 2 for images (C, H, W), 3 for
            volumes and videos (C, D, H, W); None for those of the model's first convolution.

    Raises:
        ConfigError: It is another number.
    """

    def __init__(self, dims: int | None = None) -> None:
        if dims not in (None, *KINDS):
            raise ConfigError(f"dims is 1, 2 or 3 (signals, images, volumes); got {dims!r}.")
        self.dims = dims

    def dims_of(self, model: nn.Module) -> int:
        """Return how many spatial dimensions the inputs of a model have; 2 where nothing says so.

        >>> VisionModality().dims_of(nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten()))
        1
        """
        if self.dims is not None:
            return self.dims
        return next((dims for module in model.modules() if (dims := _convolves(module))), 2)

    def enter(self, model: nn.Module, inputs: Tensor) -> tuple[Tensor, NoTokens]:
        """Return inputs as they are.

        Raises:
            AttributionError: They are not floating-point values (S, C, H, W); of models of signals
                (S, C, T), of volumes (S, C, D, H, W).
        """
        dims = self.dims_of(model)
        if inputs.ndim != dims + 2 or not inputs.is_floating_point():
            kind = KINDS[dims]
            remedy = f" Give x[None] for one {kind}." if inputs.ndim == dims + 1 else ""
            if inputs.ndim - 2 in KINDS and self.dims is None:
                # What the model says of itself may be wrong: of a patch embedding, for example.
                other = f"{KINDS[inputs.ndim - 2]}s"
                remedy += (
                    f" If the model takes {other}: modality=VisionModality({inputs.ndim - 2})."
                )
            raise AttributionError(
                f"{kind.capitalize()}s are normalised floating-point values of shape (samples, "
                f"{axes_named(dims)}); got {inputs.dtype} of shape {tuple(inputs.shape)}.{remedy}"
            )
        return inputs, NO_TOKENS

    def choose_layer(
        self, model: nn.Module, example: Tensor, beside: Arguments = NO_ARGUMENTS
    ) -> str:
        """Return a layer as `choose_image_layer` does."""
        return choose_image_layer(model, example, NoTokens(beside))

    def taps(
        self,
        model: nn.Module,
        example: Tensor,
        tokens: Behind,
        run: Callable[[], object],
        read: Tensor | None,
    ) -> tuple[Tap, ...]:
        """Return layers of maps of different sizes, the coarsest last; see `image_taps`."""
        return image_taps(model, example, tokens, run, read)

    def variations(self, inputs: Tensor, count: int) -> Iterator[Tensor]:
        """Yield crops of a half to all of an image, mirrored or not, a little shifted."""
        generator = torch.Generator().manual_seed(0)
        inputs = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
        size = inputs.shape[2:]
        dims = len(size)
        for i in range(count):
            view = inputs[i % len(inputs)][None]
            share, *drawn = torch.rand(2 + 2 * dims, generator=generator).tolist()
            starts, mirrored, moved = drawn[:dims], drawn[dims], drawn[dims + 1 :]
            for axis, (n, start) in enumerate(zip(size, starts, strict=True), start=2):
                kept = max(round(((1 + share) / 2) ** (1 / dims) * n), 1)
                view = view.narrow(axis, round(start * (n - kept)), kept)
            view = F.interpolate(view, size, mode=LINEAR[dims], antialias=dims == 2)
            shifts = [round((by - 0.5) * n / 4) for n, by in zip(size, moved, strict=True)]
            view = view.roll(shifts, tuple(range(2, 2 + dims)))
            yield view.flip(-1) if mirrored < 0.5 else view

    def moved(
        self, inputs: Tensor, maps: Tensor, crop: float, flip: bool, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Crop and mirror images (B, C, H, W) and maps (B, h, w) alike, all by one crop."""
        dims, grid = inputs.ndim - 2, maps.shape[1:]
        share, *starts = torch.rand(1 + dims, generator=generator).tolist()
        kept = (crop + (1 - crop) * share) ** (1 / dims)
        # In whole cells of the maps, so that both keep the same part.
        lengths = [max(round(kept * side), 1) for side in grid]
        parts = zip(grid, lengths, starts, strict=True)
        box = [(round(s * (side - n)) / side, n / side) for side, n, s in parts]
        mirrored = torch.rand(len(inputs), generator=generator) < (0.5 if flip else 0.0)
        moved = [_cropped(part, box) for part in (inputs, maps[:, None])]
        views = [torch.where(_spread(mirrored, part), part.flip(-1), part) for part in moved]
        return views[0], views[1][:, 0]

    def wrapping(
        self, model: nn.Module, layer: str, side: str, layout: Layout | None = None
    ) -> Wrapping:
        """Find out where the positions lie, by changing parts of an image."""
        return vision_wrapping(model, layer, layout)

    def check_features(self, features: Tensor, inputs: Tensor, layer: str) -> None:
        """Refuse features that have no height and width."""
        if features.ndim != inputs.ndim:
            axes = axes_named(inputs.ndim - 2)
            raise AttributionError(
                f"Layer {layer!r} puts out features of shape {tuple(features.shape[1:])}; expected "
                f"({axes}). Choose a layer before the features are flattened: 'input-iba layers "
                "CONFIG' lists layers with their shapes; layout= says where "
                f"{axes.partition(', ')[2].replace(', ', ' and ')} are, if they are there."
            )

    def smooth(self, mask: Tensor, sigma: float) -> Tensor:
        """Smooth with a Gaussian, reflecting at the border."""
        return gaussian_smooth(mask, sigma, dims=mask.ndim - 2)

    def position_bits(self, capacity: Tensor) -> Tensor:
        """Sum over channels."""
        return capacity.sum(1) / math.log(2)

    def saliency(self, capacity: Tensor, inputs: Tensor) -> Tensor:
        """Sum over channels, divide by the pixels per position, and enlarge linearly.

        References:
            Schulz et al. 2020 (arXiv 2001.00396); docs/METHOD.md, section 2.
        """
        bits = self.position_bits(capacity)[:, None]
        share = math.prod(bits.shape[2:]) / math.prod(inputs.shape[2:])
        return self.spread(bits * share, inputs)

    def spread(self, values: Tensor, inputs: Tensor) -> Tensor:
        """Enlarge linearly along each axis."""
        size = inputs.shape[2:]
        return F.interpolate(values, size, mode=LINEAR[len(size)], align_corners=False)[:, 0]

    def expand(self, saliency: Tensor, inputs: Tensor) -> Tensor:
        """Give every channel the same map."""
        return saliency[:, None].expand_as(inputs).contiguous()

    def to_map(self, mask: Tensor) -> Tensor:
        """Average over channels."""
        return mask.mean(1)

    def noise_shape(self, inputs: Tensor) -> tuple[int, ...]:
        """One value per channel."""
        return (inputs.shape[1], *[1] * (inputs.ndim - 2))

    def critic(self, features: Tensor) -> nn.Module:
        """Build a convolutional critic."""
        return VisionCritic(*features.shape[1:])

    def picture(self, one: Tensor) -> Tensor | None:
        """Return an image or a volume of one or three channels stretched to 0…255.

        Signals have any number of channels, and keep their values.
        """
        if one.ndim == 2:
            return one.detach().float().cpu()
        if one.shape[0] not in (1, 3):
            return None
        low, high = one.amin(), one.amax()
        pixels = (one - low) / (high - low).clamp(min=1e-12) * 255
        return pixels.round().to(torch.uint8).cpu().expand(3, *one.shape[1:])

    def window(
        self, inputs: Tensor, side: float, stride: float
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return squares of all channels; intervals of signals, cubes of volumes."""
        channels, *size = inputs.shape[1:]
        window, step = (max(1, round(share * min(size))) for share in (side, stride))
        return (channels, *[window] * len(size)), (channels, *[step] * len(size))

    def segments(self, inputs: Tensor, tokens: Behind, kind: str, tiles: int) -> Tensor:
        """Cut an image into tiles or superpixels, (H, W)."""
        return segment(inputs[0], kind, tiles)


def _convolves(module: nn.Module) -> int | None:
    """Return over how many dimensions a module convolves; None for other modules."""
    return next((dims for dims, kind in CONVOLUTIONS.items() if isinstance(module, kind)), None)


def _cropped(values: Tensor, box: Sequence[tuple[float, float]]) -> Tensor:
    """Return a part of values (B, C, …), enlarged to all; `box` are shares: start and length."""
    size, view = values.shape[2:], values
    for axis, (side, (start, length)) in enumerate(zip(size, box, strict=True), start=2):
        kept = min(max(round(length * side), 1), side)
        view = view.narrow(axis, min(round(start * side), side - kept), kept)
    if view.shape == values.shape:
        return values
    return F.interpolate(view, size, mode=LINEAR[len(size)], align_corners=False)


def _spread(flags: Tensor, values: Tensor) -> Tensor:
    return flags.view(-1, *[1] * (values.ndim - 1))
