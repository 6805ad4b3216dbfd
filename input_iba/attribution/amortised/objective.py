"""What an explainer learns: the maps of the optimised method, or its objective itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from input_iba.core.classifier import Classifier
from input_iba.core.information import clamp_mask, input_capacity
from input_iba.core.targets import log_probabilities
from input_iba.core.tokens import Behind
from input_iba.errors import ConfigError
from input_iba.modality import Modality
from input_iba.settings import Settings, setting

PRIOR = 0.5
"""The prior's mask in the objective; the optimised method's own prior is of each input."""


@dataclass(frozen=True)
class Objective(Settings):
    """How much counts what an explainer is trained for.

    References:
        Zhang et al. 2021 (arXiv 2110.01471), equation 8, for the objective; docs/METHOD.md, section
        12, for both, and for what they are worth.
    """

    PLACE = "--"

    maps: float = setting(
        1.0,
        "weight of the divergence from the maps of the optimised method",
        at_least=0,
        flag="--maps-weight",
    )
    behind: float = setting(
        0.0,
        "weight of the optimised method's own objective: the target's loss behind the noise, and "
        "beta times the mean capacity",
        at_least=0,
        flag="--objective-weight",
    )
    beta: float = setting(20.0, "weight of the mean capacity in it", at_least=0)

    def __post_init__(self) -> None:
        """Refuse an objective of which nothing is left."""
        super().__post_init__()
        if self.maps == self.behind == 0:
            raise ConfigError(
                "Both weights of the objective, maps and behind, are 0: there is nothing to learn. "
                "Give one of them a weight."
            )


def divergence(logits: Tensor, maps: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return how far shares by a mask's logit are from those of maps, in nats, (B,).

    It is KL[maps ‖ softmax(logits)] over the positions of each input; 0 where a map has no heat.

    Args:
        logits: (B, …), as many positions as maps have.
        maps: Bits of each position, not negative, (B, …).
        counted: Where there is a position at all, (B, …); None for everywhere.

    >>> divergence(torch.zeros(1, 4), torch.tensor([[1.0, 1.0, 1.0, 1.0]])).item()
    0.0
    """
    if counted is not None:
        logits = logits.masked_fill(~counted, -torch.inf)
        maps = maps * counted
    flat, shares = logits.flatten(1).log_softmax(1), maps.flatten(1)
    shares = shares / shares.sum(1, keepdim=True).clamp_min(1e-30)
    there = shares > 0
    return torch.where(there, shares * (shares.clamp_min(1e-30).log() - flat), 0).sum(1)


def behind_noise(
    classifier: Classifier,
    modality: Modality,
    inputs: Tensor,
    tokens: Behind,
    logits: Tensor,
    labels: Tensor,
    beta: float,
    use_softmax: bool = True,
) -> Tensor:
    """Return InputIBA's loss of masks with one draw of noise each, in nats, (B,).

    Args:
        classifier: Frozen, and prepared.
        modality: The kind of input.
        inputs: (B, C, H, W) or (B, T, E).
        tokens: What stands behind them.
        logits: Of the masks, (B, 1, H, W) or (B, T, 1).
        labels: Class indices, (B,).
        beta: Weight of the mean capacity.
        use_softmax: Whether the classes exclude each other.
    """
    # Noise as large as the input at its place, so that embeddings are treated as pixels are.
    scale = inputs.square().flatten(1).mean(1).sqrt().clamp_min(1e-6)
    scale = scale.view(-1, *[1] * (inputs.ndim - 1))
    lambda_ = clamp_mask(logits.sigmoid()).expand_as(inputs)
    noisy = lambda_ * inputs + (1 - lambda_) * scale * torch.randn_like(inputs)
    answers = classifier.logits(tokens.only_scored(noisy, inputs), tokens)
    losses = -log_probabilities(answers, use_softmax).gather(1, labels[:, None])[:, 0]
    capacity = input_capacity(inputs / scale, lambda_, torch.full_like(inputs, PRIOR))
    counted = torch.ones_like(capacity) if tokens.counted is None else tokens.counted
    counted = counted.expand_as(capacity)
    mean = (capacity * counted).flatten(1).sum(1) / counted.flatten(1).sum(1)
    return losses + beta * mean
