"""Priors that need no training: the same everywhere, or the saliency of stage 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.priors.base import FittedPrior, Prior
from input_iba.attribution.task import AttributionTask
from input_iba.registry import PRIORS
from input_iba.settings import setting


@PRIORS.register_module(name="ConstantPrior")
@dataclass(frozen=True)
class ConstantPrior(Prior):
    """One value for every pixel of every sample."""

    value: float = setting(
        0.5,
        "prior's mask; at 0 the prior is pure noise, and InputIBA's capacity is that of IBA with "
        "the noise of the input",
        at_least=0,
        below=1,
    )

    def fit(self, task: AttributionTask, feature: FittedFeatures) -> FittedPrior:
        """Fill the mask with the value."""
        return FittedPrior.of(torch.full_like(task.inputs, self.value))


@PRIORS.register_module(name="SaliencyPrior")
@dataclass(frozen=True)
class SaliencyPrior(Prior):
    """The saliency of stage 1, scaled: its least value becomes `low`, its greatest `high`.

    A map that is the same everywhere becomes `low`.
    """

    low: float = setting(0.25, "prior's mask where the layer needs least", at_least=0, below=1)
    high: float = setting(0.75, "prior's mask where it needs most", at_least=0, below=1)

    def fit(self, task: AttributionTask, feature: FittedFeatures) -> FittedPrior:
        """Scale the saliency of every sample by itself."""
        # Padding, which has no saliency, is not to be the least.
        flat = task.tokens.with_least(feature.saliency).flatten(1)
        least, most = flat.amin(1), flat.amax(1)
        reach = (most - least).clamp_min(torch.finfo(flat.dtype).tiny)
        scaled = ((flat - least[:, None]) / reach[:, None]).view_as(feature.saliency)
        lambda_ = self.low + (self.high - self.low) * scaled
        return FittedPrior.of(task.modality.expand(lambda_, task.inputs))
