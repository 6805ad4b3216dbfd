"""The map: bits of the feature bottleneck, shared out by what the input bottleneck learned."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.task import AttributionTask
from input_iba.core.optimise import FittedMask
from input_iba.settings import Settings, setting


@dataclass(frozen=True)
class Reading(Settings):
    """How the results of the stages are read as one map.

    References:
        docs/METHOD.md, section 9.
    """

    PLACE = "map."

    contrast: float = setting(
        4.0, "power of the ranks of the input mask by which bits are shared out", above=0
    )
    place: float = setting(
        0.5, "power of the feature mask by which bits are shared out; 0 for none", at_least=0
    )

    def read(self, task: AttributionTask, feature: FittedFeatures, fitted: FittedMask) -> Tensor:
        """Return the map of every sample, (S, H, W) bits per pixel; of text (S, T), per token.

        Its sum is the bits that the feature bottleneck lets pass.
        """
        # Padding and special tokens hold no bits, and ranks are those of the others alone.
        mask = task.tokens.zeroed(task.modality.to_map(fitted.alpha.sigmoid()))
        saliency = task.tokens.zeroed(feature.saliency).clamp_min(0)
        each = (-1, *[1] * (mask.ndim - 1))
        order = mask.flatten(1).argsort(dim=1, stable=True)
        ranks = order.argsort(1).to(mask.dtype).reshape(mask.shape)
        ranks = task.tokens.with_least(ranks)
        ranks = ranks - ranks.flatten(1).amin(1).reshape(each)
        ranks = ranks / ranks.flatten(1).amax(1).clamp_min(1).reshape(each)
        share = ranks**self.contrast * saliency**self.place
        total = share.flatten(1).sum(1).reshape(each)
        bits = saliency.flatten(1).sum(1).reshape(each)
        # Of one word there is no rank: it has all bits.
        return torch.where(total > 0, share * (bits / total), saliency)
