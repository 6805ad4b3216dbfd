"""Explainer and approximator together, with the chunks they speak about."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.training.loop import autocasting
from input_iba.vibi.chunks import Chunks
from input_iba.vibi.sampling import hard_top_k, relaxed_k_hot


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
