"""Which chunks are shown: relaxed k-hot samples in training, the k likeliest at evaluation."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def gumbel_noise(
    shape: tuple[int, ...], generator: torch.Generator, device: torch.device | None = None
) -> Tensor:
    """Draw standard Gumbel noise in float32, from a generator on `device`; never infinite."""
    # The negative logarithm of an exponential variable is a Gumbel variable: one logarithm, where
    # -log(-log(u)) of a uniform u takes two and is infinite for both of its ends.
    waiting = torch.empty(shape, device=device).exponential_(generator=generator)
    return waiting.clamp_min_(torch.finfo(waiting.dtype).tiny).log_().neg_()


def relaxed_k_hot(
    logits: Tensor,
    k: int,
    temperature: float,
    draws: int,
    generator: torch.Generator,
    straight_through: bool = False,
) -> Tensor:
    """Draw relaxed k-hot vectors: the elementwise maximum of k Gumbel-softmax samples.

    Args:
        logits: (S, N) over chunks; -inf marks a chunk that does not exist.
        k: Chunks to show.
        temperature: Of the softmax; towards 0 the samples become hard.
        draws: Samples K per row.
        generator: Source of the noise, on the device of `logits`.
        straight_through: Return the k greatest values of each sample as 1 and the others as 0, as
            evaluation shows them, with the gradient of the relaxed sample.

    Returns:
        (S, K, N) in [0, 1], float32, every row summing to at most k.

    References:
        Chen et al. 2018 (arXiv 1802.07814), section 3.3; Bang et al. 2019 (arXiv 1902.06918),
        equation 6.
    """
    samples, chunks = logits.shape
    shape = (samples, draws, k, chunks)
    noise = gumbel_noise(shape, generator, logits.device)
    scores = (logits.float()[:, None, None] + noise) / temperature
    relaxed = scores.softmax(-1).amax(2)
    if not straight_through:
        return relaxed
    values = relaxed.detach().masked_fill((logits == -math.inf)[:, None], -math.inf)
    return hard_top_k(values, k) + (relaxed - relaxed.detach())


def hard_top_k(logits: Tensor, k: int) -> Tensor:
    """Return 1 for the k greatest values of the last axis and 0 for the others, in float32.

    Of equal values the first ones count. Chunks with -inf are never shown.

    >>> hard_top_k(torch.tensor([[0.3, -1.0, 2.0, 0.3]]), 2)
    tensor([[1., 0., 1., 0.]])
    """
    count = min(k, logits.shape[-1])
    order = logits.sort(dim=-1, descending=True, stable=True).indices
    chosen = torch.zeros_like(logits, dtype=torch.float32).scatter_(-1, order[..., :count], 1.0)
    return chosen * (logits > -math.inf)


def annealed(start: float, end: float, share: float) -> float:
    """Return the temperature after a share of the training, falling geometrically.

    >>> [round(annealed(0.8, 0.2, share), 3) for share in (0.0, 0.5, 1.0)]
    [0.8, 0.4, 0.2]
    """
    return float(start * (end / start) ** min(max(share, 0.0), 1.0))
