"""A small vision transformer that computes attention in each of the ways there are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WAYS = ("fused", "softmax", "flat softmax", "multi-head")


class Attend(nn.Module):
    """Self-attention of two heads; keeps its weights where they are computed step by step."""

    def __init__(self, width: int, way: str) -> None:
        super().__init__()
        self.way, self.width = way, width
        self.inside = nn.MultiheadAttention(width, 2, batch_first=True)
        self.kept: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.way == "multi-head":
            found: Tensor = self.inside(x, x, x, need_weights=False)[0]
            return found
        rows, tokens, width = x.shape
        projected = F.linear(x, self.inside.in_proj_weight, self.inside.in_proj_bias)
        query, key, value = projected.view(rows, tokens, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        if self.way == "fused":
            mixed = F.scaled_dot_product_attention(query, key, value)
        else:
            scores = query @ key.mT / math.sqrt(width // 2)
            if self.way == "flat softmax":
                self.kept = F.softmax(scores.flatten(0, 1), -1)
                mixed = (self.kept @ value.flatten(0, 1)).view_as(value)
            else:
                self.kept = scores.softmax(-1)
                mixed = self.kept @ value
        output: Tensor = self.inside.out_proj(mixed.transpose(1, 2).reshape(rows, tokens, width))
        return output


class Block(nn.Module):
    """Attention and a layer of neurons, each beside a way around it."""

    def __init__(self, width: int, way: str) -> None:
        super().__init__()
        self.attend = Attend(width, way)
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.neurons = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attend(self.before(x))
        output: Tensor = x + self.neurons(self.between(x))
        return output


class TinyViT(nn.Module):
    """Patches of `side` pixels, a class token, some blocks, and a head that reads that token.

    Args:
        way: One of `WAYS`.
        pooled: Let the head read the mean of all tokens instead.
    """

    def __init__(
        self,
        way: str = "fused",
        *,
        channels: int = 2,
        tokens: int = 16,
        side: int = 2,
        classes: int = 3,
        depth: int = 3,
        pooled: bool = False,
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.pooled = pooled
        self.patches = nn.Conv2d(channels, 12, side, side)
        self.class_token = nn.Parameter(torch.randn(1, 1, 12))
        self.positions = nn.Parameter(torch.randn(1, tokens + 1, 12) / 2)
        self.blocks = nn.ModuleList(Block(12, way) for _ in range(depth))
        with torch.no_grad():  # heads that tell tokens apart
            for block in self.blocks:
                block.attend.inside.in_proj_weight.mul_(2)  # type: ignore[union-attr, operator]
        self.norm = nn.LayerNorm(12)
        self.head = nn.Linear(12, classes)

    def embedded(self, x: Tensor) -> Tensor:
        patches = self.patches(x).flatten(2).mT
        tokens = torch.cat([self.class_token.expand(len(x), -1, -1), patches], 1)
        return tokens + self.positions

    def read(self, tokens: Tensor) -> Tensor:
        normed = self.norm(tokens)
        logits: Tensor = self.head(normed.mean(1) if self.pooled else normed[:, 0])
        return logits

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embedded(x)
        for block in self.blocks:
            tokens = block(tokens)
        return self.read(tokens)

    def kept(self) -> Sequence[Tensor]:
        """Return the weights of the last pass, where they are computed step by step."""
        return [block.attend.kept for block in self.blocks]  # type: ignore[union-attr, misc]


def noise(count: int, seed: int) -> Tensor:
    """Return images of faint noise, (count, 2, 8, 8)."""
    return torch.randn(count, 2, 8, 8, generator=torch.Generator().manual_seed(seed)) / 2


def planted(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return noise (count, 2, 8, 8) with a bright patch of 2×2, and which of the 16 it is."""
    x = noise(count, seed)
    places = torch.randint(16, (count,), generator=torch.Generator().manual_seed(seed))
    for image, place in zip(x, places.tolist(), strict=True):
        row, column = divmod(place, 4)
        image[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] += 3
    return x, places


def trained_on_patches() -> TinyViT:
    """Return a transformer for which a bright patch anywhere means class 1."""
    net = TinyViT(classes=2, depth=2)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for step in range(200):
        with_patch, _ = planted(32, 2 * step)
        x = torch.cat([with_patch, noise(32, 2 * step + 1)])
        loss = nn.functional.cross_entropy(net(x), (torch.arange(64) < 32).long())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return net
