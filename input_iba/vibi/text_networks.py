"""Explainer and approximator of texts: convolutions over word vectors, without batch statistics.

Both read the black box's own word vectors, so a hidden word is the same to all three: zeros.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.vibi.texts import max_of_chunks, unpacked


class TextExplainer(nn.Module):
    """Says how much each chunk of a text is worth being chosen.

    Every word is seen with its neighbours and with what the whole text holds, as in L2X.

    References:
        Chen et al. 2018, "Learning to Explain" (arXiv 1802.07814), section 4.3: convolutions with a
        local and a global part on IMDB.
    """

    def __init__(self, embedding_dim: int = 100, width: int = 100, dropout: float = 0.2) -> None:
        super().__init__()
        self.read = nn.Conv1d(embedding_dim, width, 3, padding=1)
        self.local = nn.Conv1d(width, width, 3, padding=1)
        self.overall = nn.Linear(width, width)
        self.mix = nn.Linear(2 * width, width)
        self.score = nn.Linear(width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map texts (B, T, 1 + E) to logits (B, N), −∞ for chunks that a text does not have."""
        vectors, chunks = unpacked(inputs)
        inside = chunks >= 0
        words = (self.dropout(vectors) * inside[..., None]).transpose(1, 2)
        seen = F.relu(self.read(words)) * inside[:, None]
        overall = F.relu(self.overall(seen.amax(2)))
        local = F.relu(self.local(seen)).transpose(1, 2)
        maxima, exist = max_of_chunks(local, chunks)
        both = torch.cat([maxima, overall[:, None].expand_as(maxima)], dim=2)
        logits: Tensor = self.score(self.dropout(F.relu(self.mix(both)))).squeeze(2)
        return logits.masked_fill(~exist, float("-inf"))


class TextApproximator(nn.Module):
    """Predicts what the black box says about the whole text from the words that are shown."""

    def __init__(
        self, classes: int = 2, embedding_dim: int = 100, width: int = 200, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.read = nn.Conv1d(embedding_dim, width, 3, padding=1)
        self.mix = nn.Linear(width, width)
        self.classify = nn.Linear(width, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map texts (B, T, 1 + E) to logits (B, classes); vectors of hidden words are 0."""
        vectors, chunks = unpacked(inputs)
        inside = chunks >= 0
        words = (vectors * inside[..., None]).transpose(1, 2)
        # After the rectifier nothing is below 0, so a zero at padding is never the maximum.
        seen = (F.relu(self.read(words)) * inside[:, None]).amax(2)
        logits: Tensor = self.classify(self.dropout(F.relu(self.mix(self.dropout(seen)))))
        return logits
