"""A classifier of text that reacts to one word, and texts that hold it or do not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.core.padding import PAD_INDEX

PLANTED, VOCABULARY, LONGEST = 7, 40, 24


class WordSpotter(nn.Module):
    """One logit: above 0 where the text holds the planted word."""

    def __init__(self, dim: int = 6) -> None:
        super().__init__()
        self.pad_index = PAD_INDEX
        generator = torch.Generator().manual_seed(1)
        self.embedding = nn.Embedding(VOCABULARY, dim, padding_idx=PAD_INDEX)
        with torch.no_grad():
            self.embedding.weight.copy_(torch.randn(VOCABULARY, dim, generator=generator) / 2)
            self.embedding.weight[:, 0] = 0
            self.embedding.weight[PLANTED, 0] = 1
            self.embedding.weight[PAD_INDEX] = 0
        self.bias = nn.Parameter(torch.tensor(-4.0))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (B, 1)."""
        valid = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None].to(ids.device)
        spotted = (self.embedding(ids)[..., 0] * valid).amax(1, keepdim=True)
        logits: Tensor = 8 * spotted + self.bias
        return logits


def planted_texts(count: int, seed: int = 0) -> list[Tensor]:
    """Return texts of 3 to 24 words; every second one holds the planted word once."""
    generator = torch.Generator().manual_seed(seed)
    texts = []
    for i in range(count):
        length = int(torch.randint(3, LONGEST + 1, (), generator=generator))
        text = torch.randint(PLANTED + 1, VOCABULARY, (length,), generator=generator)
        if i % 2:
            text[int(torch.randint(length, (), generator=generator))] = PLANTED
        texts.append(text)
    return texts
