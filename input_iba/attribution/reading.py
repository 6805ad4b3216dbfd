"""The map: bits of the feature bottleneck, shared out by what the input bottleneck learned."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.task import AttributionTask
from input_iba.core.maps import saturated
from input_iba.core.optimise import FittedMask
from input_iba.settings import Settings, setting

LEAST = 1e-3
"""Share of the largest gain that keeps what speaks against the target in order."""


@dataclass(frozen=True)
class Reading(Settings):
    """How the results of the stages are read as one map.

    References:
        docs/METHOD.md, section 10.
    """

    PLACE = "map."

    source: str = setting(
        "mask",
        "what shares the bits out: the contrast of the input 'mask' and the size of its gains, the "
        "'gain' of its path alone, or its 'product' with the bits of the features, for layers as "
        "fine as the input",
        choices=("mask", "gain", "product"),
    )
    contrast: float = setting(32.0, "power of the ranks of the input mask", above=0)
    smoothing: float = setting(
        1 / 56, "deviation of the smoothing of gains, as a share of the shorter side", at_least=0
    )
    saturation: float = setting(
        0.25,
        "evidence at which bits grow half as fast, as a share of the map's own mean, each element "
        "weighted by its evidence",
        above=0,
    )

    def read(self, task: AttributionTask, feature: FittedFeatures, fitted: FittedMask) -> Tensor:
        """Return the map of every sample, (S, H, W) bits per pixel; of text (S, T), per token.

        Its sum is the bits that the feature bottleneck lets pass, times how well the target is
        met behind the input bottleneck.
        """
        saliency = task.tokens.zeroed(feature.saliency).clamp_min(0)
        gain = task.modality.to_map(fitted.gain)
        if self.source == "mask":
            share = self._by_mask(task, saliency, fitted)
        elif self.source == "gain":
            share = _by_gain(task, gain)
        else:
            share = _by_gain(task, task.modality.smooth_map(gain, self.smoothing)) * saliency
        share = task.tokens.zeroed(share)
        total = _each(share.flatten(1).sum(1), share)
        bits = _each(saliency.flatten(1).sum(1), share)
        # Of one word there is no rank, and without any evidence no order: features alone decide.
        found = torch.where(total > 0, share * (bits / total), saliency)
        return found * _each(_met(task, fitted), found)

    def _by_mask(self, task: AttributionTask, saliency: Tensor, fitted: FittedMask) -> Tensor:
        """Return s / (s + c) of the evidence s = rank(mask)^contrast · saliency · |gain|."""
        ranks = _ranks(task, task.modality.to_map(fitted.alpha.sigmoid()))
        size = task.modality.to_map(fitted.gain.abs())
        size = task.modality.smooth_map(size, self.smoothing)
        evidence = task.tokens.zeroed(ranks**self.contrast * saliency * size)
        return saturated(evidence, self.saturation)


def _by_gain(task: AttributionTask, gain: Tensor) -> Tensor:
    """Return the gain where it is positive, and hardly anything, in its order, elsewhere."""
    gain = task.tokens.zeroed(gain)
    highest = _each(gain.flatten(1).amax(1), gain)
    positive = (gain / highest.where(highest > 0, 1)).clamp_min(0)
    return positive + LEAST * _ranks(task, gain)


def _ranks(task: AttributionTask, maps: Tensor) -> Tensor:
    """Return each value's place in the order of its map, 0 for the least and 1 for the highest.

    Places are those among what is scored: padding has the least.
    """
    order = maps.where(_scored(task, maps), -torch.inf).flatten(1).argsort(dim=1, stable=True)
    ranks = task.tokens.with_least(order.argsort(1).to(maps.dtype).reshape(maps.shape))
    ranks = ranks - _each(ranks.flatten(1).amin(1), ranks)
    return ranks / _each(ranks.flatten(1).amax(1).clamp_min(1), ranks)


def _scored(task: AttributionTask, maps: Tensor) -> Tensor:
    """Return which elements of maps (S, …) are neither padding nor special tokens."""
    return task.tokens.zeroed(torch.ones_like(maps)) > 0


def _met(task: AttributionTask, fitted: FittedMask) -> Tensor:
    """Return how well targets are met behind the input bottleneck, (S,); 1 where it is not known.

    It is the geometric mean over the draws of the last step.
    """
    return task.losses.met(fitted.target_loss[-1]).nan_to_num(1.0)


def _each(values: Tensor, maps: Tensor) -> Tensor:
    """Return one value per sample, (S,), so that it spreads over maps (S, …)."""
    return values.reshape(-1, *[1] * (maps.ndim - 1))
