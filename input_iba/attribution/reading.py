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
        mask = task.modality.to_map(fitted.alpha.sigmoid())
        ranks = mask.flatten(1).argsort(1).argsort(1).to(mask.dtype)
        ranks = (ranks / max(ranks.shape[1] - 1, 1)).reshape(mask.shape)
        share = ranks**self.contrast * feature.saliency.clamp_min(0) ** self.place
        bits = feature.saliency.flatten(1).sum(1)
        total = share.flatten(1).sum(1)
        scale = torch.where(total > 0, bits / total, 0)
        return share * scale.reshape(-1, *[1] * (share.ndim - 1))
