"""What an explainer learns: the maps of the optimised method, or its objective itself."""

from __future__ import annotations

import torch
from torch import Tensor

from input_iba.core.classifier import Classifier
from input_iba.core.information import clamp_mask, input_capacity
from input_iba.core.targets import log_probabilities
from input_iba.core.tokens import Behind
from input_iba.modality import Modality

PRIOR = 0.5
"""The prior's mask in the objective; the optimised method's own prior is of each input."""


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
