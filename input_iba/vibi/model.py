"""Explainer and approximator together, and which chunks they show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.training.loop import autocasting
from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.chunks import Chunks


class Vibi(nn.Module):
    """An explainer that chooses k chunks, and an approximator that sees these only.

    Args:
        explainer: Maps inputs (S, …) to logits over chunks (S, N).
        approximator: Maps inputs with hidden chunks (B, …) to logits (B, classes).
        chunks: How an input falls into chunks, of which k are shown.
        k: Chunks to show.
        autocast: Number format of both networks' layers, or None for float32.
    """

    def __init__(
        self,
        explainer: nn.Module,
        approximator: nn.Module,
        chunks: Chunks,
        k: int,
        autocast: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if not 1 <= k <= chunks.count:
            raise ConfigError(f"k must be from 1 to {chunks.count}, the number of chunks; got {k}.")
        self.explainer = explainer
        self.approximator = approximator
        self.chunks = chunks
        self.k = k
        self.autocast = autocast

    def explain(self, inputs: Tensor) -> Tensor:
        """Return logits over chunks (S, N), float32; their softmax is p(z|x)."""
        with autocasting(inputs.device, self.autocast):
            logits: Tensor = self.explainer(inputs)
        return logits.float()

    def approximate(self, masked: Tensor) -> Tensor:
        """Return the approximator's logits (B, classes), float32, of inputs with hidden chunks."""
        with autocasting(masked.device, self.autocast):
            logits: Tensor = self.approximator(masked)
        return logits.float()

    def sample(
        self,
        logits: Tensor,
        temperature: float,
        draws: int,
        generator: torch.Generator,
        straight_through: bool = False,
    ) -> Tensor:
        """Draw which chunks training shows, (S, K, N); see `relaxed_k_hot`."""
        return relaxed_k_hot(logits, self.k, temperature, draws, generator, straight_through)

    def top_k_inputs(self, inputs: Tensor) -> Tensor:
        """Return inputs of which only the k likeliest chunks are left, (S, …)."""
        return self.only_top_k(inputs, self.explain(inputs))

    def only_top_k(self, inputs: Tensor, logits: Tensor) -> Tensor:
        """Return inputs of which only the k chunks of the greatest logits (S, N) are left."""
        return self.chunks.hide(inputs, hard_top_k(logits, self.k)[:, None])


@dataclass(frozen=True)
class Networks:
    """Explainer and approximator, and what they explain.

    Attributes:
        weights: File with the black box's weights; empty where the config's `pretrained` says.
        input_shape: Shape of one input.
    """

    vibi: Vibi
    black_box: BlackBox
    weights: str
    input_shape: Sequence[int]


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
