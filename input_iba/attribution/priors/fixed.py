"""Priors that need no training: the same everywhere, or the saliency of stage 1."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from input_iba.attribution.feature_iba import FeatureBottleneck
from input_iba.attribution.priors.base import FittedPrior, Prior
from input_iba.attribution.task import AttributionTask
from input_iba.errors import ConfigError
from input_iba.registry import PRIORS


@PRIORS.register_module(name="ConstantPrior")
@dataclass(frozen=True)
class ConstantPrior(Prior):
    """One value for every pixel of every sample.

    Attributes:
        value: λ_G in [0, 1). At 0 the prior is pure noise, and InputIBA's capacity is that of
            IBA with the noise of the input.
        verbose: Accepted from published configs.
    """

    value: float = 0.5
    verbose: bool = False

    def __post_init__(self) -> None:
        _check_share("value", self.value)

    def fit(self, task: AttributionTask, feature: FeatureBottleneck) -> FittedPrior:
        """Fill the mask with the value."""
        return FittedPrior.of(torch.full_like(task.inputs, self.value))


@PRIORS.register_module(name="SaliencyPrior")
@dataclass(frozen=True)
class SaliencyPrior(Prior):
    """The saliency of stage 1, scaled: its least value becomes `low`, its greatest `high`.

    A map that is the same everywhere becomes `low`.

    Attributes:
        low: Where the layer needs least, in [0, 1).
        high: Where it needs most, in [0, 1).
        verbose: Accepted from published configs.
    """

    low: float = 0.25
    high: float = 0.75
    verbose: bool = False

    def __post_init__(self) -> None:
        _check_share("low", self.low)
        _check_share("high", self.high)

    def fit(self, task: AttributionTask, feature: FeatureBottleneck) -> FittedPrior:
        """Scale the saliency of every sample by itself."""
        flat = feature.saliency.flatten(1)
        if task.tokens is not None:  # padding, which has no saliency, is not to be the least
            some = flat.masked_fill(~task.tokens.scored, math.inf).amin(1, keepdim=True)
            flat = torch.where(task.tokens.scored, flat, some)
        least, most = flat.amin(1), flat.amax(1)
        reach = (most - least).clamp_min(torch.finfo(flat.dtype).tiny)
        scaled = ((flat - least[:, None]) / reach[:, None]).view_as(feature.saliency)
        lambda_ = self.low + (self.high - self.low) * scaled
        return FittedPrior.of(task.modality.expand(lambda_, task.inputs))


def _check_share(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise ConfigError(f"gan.{name} must be in [0, 1), got {value!r}.")
