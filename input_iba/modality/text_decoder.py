"""A network that reads what a classifier of texts computes anyway, and puts out a mask."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.modality.decoder_parts import ASKED, WIDTH, Asked, Block, Decoder, Standardised


class TextDecoder(Decoder):
    """Maps the features of words at some layers to the logit of a mask, one number per word.

    Args:
        channels: Of the features of each tap.
        asked: Numbers in the vector of what is asked.
    """

    def __init__(self, channels: Sequence[int], asked: int) -> None:
        super().__init__()
        self.ask = nn.Sequential(nn.Linear(asked, ASKED), nn.GELU())
        self.standardised = nn.ModuleList(Standardised(c, 2, 3) for c in channels)
        self.lateral = nn.ModuleList(nn.Linear(c, WIDTH) for c in channels)
        self.asked = nn.ModuleList(Asked(WIDTH, 2, 3) for _ in channels)
        self.blocks = nn.ModuleList(Block(WIDTH, 1) for _ in range(2))
        self.last = nn.Linear(WIDTH, 1)

    def fit(self, features: Sequence[Tensor], asked: Tensor) -> None:
        """Measure the channels of features (n, T, D) of each tap."""
        for standardised, values in zip(self.standardised, features, strict=True):
            assert isinstance(standardised, Standardised)
            standardised.fit(values)

    def forward(
        self,
        inputs: Tensor,
        features: Sequence[Tensor],
        asked: Tensor,
        counted: Tensor | None = None,
    ) -> Tensor:
        """Return the mask's logit, (B, T, 1), of embeddings (B, T, E).

        `features` are (B, T, D) of each tap, `asked` vectors (B, D) of what is asked; `counted`
        (B, T, 1) is False at padding, which nothing is read of.
        """
        question = self.ask(asked)
        parts = zip(self.standardised, self.lateral, self.asked, features, strict=True)
        values = sum(
            (ask(lateral(standard(of_tap)), question) for standard, lateral, ask, of_tap in parts),
            torch.zeros((), device=inputs.device),
        )
        values = F.gelu(values).mT
        for block in self.blocks:
            values = block(values if counted is None else values * counted.mT)
        found: Tensor = self.last(values.mT)
        return found

    def enlarged(self, found: Tensor, inputs: Tensor) -> Tensor:
        """Return a logit as it is: there is one for each word."""
        return found

    def read(self, shares: Tensor, inputs: Tensor) -> Tensor:
        """Return shares (B, T) as they are: the neighbours of a word are other words."""
        return shares

    def reduced(self, maps: Tensor) -> Tensor:
        """Return maps (B, T) as they are."""
        return maps
