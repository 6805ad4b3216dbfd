"""What a prior is, and priors that need no training: the same everywhere, or the saliency."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.task import AttributionTask
from input_iba.registry import PRIORS
from input_iba.settings import Settings, setting


@dataclass(frozen=True)
class FittedPrior:
    """The prior of S samples.

    Attributes:
        lambda_: Mask λ_G in [0, 1], (S, C, H, W).
        failures: Per sample what went wrong, or None.
        losses: Loss histories by part, each (steps, S).
    """

    lambda_: Tensor
    failures: tuple[str | None, ...]
    losses: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, lambda_: Tensor, losses: Mapping[str, Tensor] | None = None) -> FittedPrior:
        """Make a prior of masks (S, C, H, W), and note of each whether it is finite."""
        finite = torch.isfinite(lambda_).flatten(1).all(1).tolist()
        reason = "the prior's mask is not finite: check the features for very large values"
        return cls(lambda_, tuple(None if ok else reason for ok in finite), losses or {})


@dataclass(frozen=True, kw_only=True)
class Prior(Settings, ABC):
    """A way to find the prior's mask λ_G, with its settings."""

    PLACE = "gan."

    verbose: bool = setting(
        False, "accepted from published configs; progress is reported anyway", changes_result=False
    )

    @abstractmethod
    def fit(self, task: AttributionTask, feature: FittedFeatures) -> FittedPrior:
        """Find λ_G for every sample, given what stage 1 has learned about it."""


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
