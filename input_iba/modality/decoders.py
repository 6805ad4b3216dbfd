"""Networks that read what a classifier computes anyway, and put out a mask of its input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.core.maps import saturated
from input_iba.core.smoothing import gaussian_smooth
from input_iba.modality.axes import LINEAR
from input_iba.modality.critics import CONVOLUTIONS
from input_iba.modality.decoder_parts import ASKED, WIDTH, Asked, Block, Decoder, Standardised
from input_iba.modality.text_decoder import TextDecoder

WIDE = 64
"""Channels of a decoder where there are at most `FEW` positions."""

FEW = 400

LEAST_DETAIL = 0.01
"""Bound of local contrast, in units of normalised values."""

CONCENTRATION = 1.5
"""Power of the evidence with which maps are as concentrated as optimised ones."""

SATURATION = 0.25
"""Evidence at which bits grow half as fast, as in the map of the optimised method."""

FINEST = 64
"""Positions along the longest side at which a decoder of images puts out a mask, at most."""


class VisionDecoder(Decoder):
    """Maps the features of images, from coarse to fine, to the logit of a mask.

    It begins with what the coarsest features say for what is asked, where these have as many
    channels as the vectors of what is asked: class activation mapping.

    Args:
        channels: Of the features of each tap.
        sizes: Their sizes, (h, w); of signals (t,), of volumes (d, h, w).
        inputs: Channels and size of the inputs, (C, H, W).
        asked: Numbers in the vector of what is asked.

    References:
        Lin et al. 2017 (arXiv 1612.03144), feature pyramids; Zhou et al. 2016 (arXiv 1512.04150),
        class activation mapping.
    """

    def __init__(
        self,
        channels: Sequence[int],
        sizes: Sequence[Sequence[int]],
        inputs: Sequence[int],
        asked: int,
    ) -> None:
        super().__init__()
        self.dims = dims = len(inputs) - 1
        convolution = CONVOLUTIONS[dims]
        self.stride = 2 ** max(0, math.ceil(math.log2(max(inputs[1:]) / FINEST)))
        self.order = sorted(range(len(sizes)), key=lambda i: math.prod(sizes[i]))
        self.evidence = channels[self.order[0]] == asked
        whole = [-(-side // self.stride) for side in inputs[1:]]
        self.together = list(sizes[self.order[-1]]) == whole
        widths = [WIDE if math.prod(sizes[i]) <= FEW else WIDTH for i in self.order]
        # What is put out, and the pixels that are read with it, have WIDTH channels.
        widths = [*widths[:-1], WIDTH] if self.together else [*widths, WIDTH]
        self.ask = nn.Sequential(nn.Linear(asked, ASKED), nn.GELU())
        self.spots = Standardised(1, 1, dims + 2)
        self.spot = convolution(1, widths[0], 1)
        self.standardised = nn.ModuleList(
            Standardised(channels[i], 1, dims + 2) for i in self.order
        )
        each = list(zip((channels[i] for i in self.order), widths, strict=False))
        self.lateral = nn.ModuleList(convolution(c, width, 1) for c, width in each)
        self.asked = nn.ModuleList(Asked(width, 1, dims + 2) for _, width in each)
        self.blocks = nn.ModuleList(Block(width, dims) for _, width in each)
        self.finer = nn.ModuleList(convolution(a, b, 1) for a, b in pairwise(widths))
        self.image = convolution(inputs[0], WIDTH, self.stride, stride=self.stride)
        self.last = nn.Identity() if self.together else Block(WIDTH, dims)
        self.head = convolution(WIDTH, 1, 1)
        self.weight = nn.Parameter(torch.tensor(float(self.evidence)))
        nn.init.zeros_(self.head.weight)

    @torch.no_grad()
    def fit(self, features: Sequence[Tensor], asked: Tensor) -> None:
        """Measure the channels of features (n, …) of each tap, and what they say for `asked`."""
        for standardised, i in zip(self.standardised, self.order, strict=True):
            assert isinstance(standardised, Standardised)
            standardised.fit(features[i])
        if self.evidence:
            self.spots.fit(self._evidence(features[self.order[0]], asked))

    def forward(
        self,
        inputs: Tensor,
        features: Sequence[Tensor],
        asked: Tensor,
        counted: Tensor | None = None,
    ) -> Tensor:
        """Return the mask's logit, (B, 1, h', w'), of inputs (B, C, H, W); `enlarged` spreads it.

        `features` are (B, C', h, w) of each tap, and `asked` vectors (B, D) of what is asked; all
        of an image is `counted`.
        """
        question = self.ask(asked)
        pixels = self.image(self._whole(inputs))
        spots = (
            self.spots(self._evidence(features[self.order[0]], asked)) if self.evidence else None
        )
        values: Tensor | None = None
        for level, i in enumerate(self.order):
            beside = self.lateral[level](self.standardised[level](features[i]))
            beside = self.asked[level](beside, question)
            if values is not None:
                beside = beside + self._resized(self.finer[level - 1](values), beside.shape[2:])
            elif spots is not None:
                beside = beside + self.spot(spots)
            if self.together and beside.shape == pixels.shape:
                beside = beside + pixels
            values = self.blocks[level](beside)
        assert values is not None  # there is at least one tap
        if not self.together:
            values = self.last(self._resized(self.finer[-1](values), pixels.shape[2:]) + pixels)
        found: Tensor = self.head(values)
        if spots is not None:
            found = found + self.weight * self._resized(spots, found.shape[2:])
        return found

    def enlarged(self, found: Tensor, inputs: Tensor) -> Tensor:
        """Return a logit (B, 1, h', w') as that of a mask of inputs (B, C, H, W), (B, 1, H, W)."""
        return self._resized(found, inputs.shape[2:])

    def read(self, shares: Tensor, inputs: Tensor) -> Tensor:
        """Return shares (B, H, W) times the squared detail, concentrated as optimised maps."""
        evidence = shares * self.detail(inputs).square()
        evidence = evidence / evidence.flatten(1).amax(1).view(-1, *[1] * self.dims)
        return saturated(evidence**CONCENTRATION, SATURATION)

    def detail(self, inputs: Tensor) -> Tensor:
        """Return how much pixels of inputs (B, C, H, W) differ from those around, (B, H, W).

        It is the mean distance of the channels from their mean around, and at least a little: means
        of cells as large as what is put out, smoothed with a deviation of one cell.
        """
        around = gaussian_smooth(self._cells(inputs), 1.0, dims=self.dims)
        distance = (inputs - self._resized(around, inputs.shape[2:])).abs()
        return distance.mean(1).clamp_min(LEAST_DETAIL)

    def reduced(self, maps: Tensor) -> Tensor:
        """Return maps (B, H, W) at the resolution of what is put out, (B, h', w')."""
        return self._cells(maps[:, None])[:, 0]

    def _cells(self, values: Tensor) -> Tensor:
        """Return means (B, C, h', w') of values (B, C, H, W)."""
        size = [-(-side // self.stride) for side in values.shape[2:]]
        return F.interpolate(values, size, mode="area")

    def _evidence(self, features: Tensor, asked: Tensor) -> Tensor:
        """Return what features (B, D, h, w) say for vectors (B, D) at each place, (B, 1, h, w)."""
        return torch.einsum("bc...,bc->b...", features.to(asked.dtype), asked)[:, None]

    def _resized(self, values: Tensor, size: Sequence[int]) -> Tensor:
        if values.shape[2:] == tuple(size):
            return values
        return F.interpolate(values, tuple(size), mode=LINEAR[self.dims], align_corners=False)

    def _whole(self, inputs: Tensor) -> Tensor:
        """Return inputs (B, C, …) whose sides are whole multiples of the stride."""
        missing = [-side % self.stride for side in inputs.shape[2:]]
        pads = [n for side in missing[::-1] for n in (0, side)]
        return F.pad(inputs, pads) if any(missing) else inputs


Shape = Sequence[int]


def build_decoder(kind: str, features: Sequence[Shape], inputs: Shape, asked: int) -> Decoder:
    """Build what an explainer of a kind of input puts its mask out with.

    Args:
        kind: Of the inputs.
        features: Shapes of what flows at its taps, (C', h, w); of texts (T, D).
        inputs: Shape of one input, (C, H, W); of texts (T, E).
        asked: Numbers that stand for what is asked.
    """
    if kind == "texts":
        return TextDecoder([shape[1] for shape in features], asked)
    sizes = [shape[1:] for shape in features]
    return VisionDecoder([shape[0] for shape in features], sizes, inputs, asked)
