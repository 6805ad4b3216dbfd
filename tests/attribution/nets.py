"""Small classifiers, some of a known right answer, with inputs and attributors for them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor, FeatureIBA, InputBottleneck, WGANPrior
from input_iba.records import Attribution, Failure

SIDE, PATCH = 48, 12
"""Pixels per side of the pictures and of the one patch that the classifier looks at."""

IDS = ["a", "b", "c", "d"]
"""Of the four `inputs`."""


class Residual(nn.Module):
    """A block with a skip connection and ReLU in place at its end."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        out += x
        activated: Tensor = self.relu(out)
        return activated


class PatchClassifier(nn.Module):
    """A CNN that sees one patch of the picture alone, and reads its features there alone.

    Args:
        corner: Top and left pixel of the patch, even numbers.
        residual: Whether the layer `block` has a skip connection.
    """

    def __init__(self, corner: tuple[int, int], residual: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(inplace=True))
        self.pool = nn.AvgPool2d(2)
        plain = nn.Sequential(nn.Conv2d(12, 12, 1), nn.ReLU(inplace=True))
        self.block: nn.Module = Residual(12) if residual else plain
        self.head = nn.Linear(12, 2)
        self.rows, self.columns = (slice(c // 2, (c + PATCH) // 2) for c in corner)
        visible = torch.zeros(SIDE, SIDE)
        visible[corner[0] : corner[0] + PATCH, corner[1] : corner[1] + PATCH] = 1
        self.visible = nn.Buffer(visible)

    def seen(self, x: Tensor) -> Tensor:
        """Return the features of the patch, (B, 12)."""
        maps: Tensor = self.block(self.pool(self.stem(x * self.visible)))
        return maps[..., self.rows, self.columns].mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.seen(x))
        return logits

    @torch.no_grad()
    def calibrate(self, pictures: Tensor) -> PatchClassifier:
        """Let class 1 mean 'the patch looks like these pictures', class 0 'like noise'."""
        like, unlike = self.seen(pictures).mean(0), self.seen(torch.randn_like(pictures)).mean(0)
        direction = (like - unlike) / (like - unlike).square().sum()
        self.head.weight[1] = 4 * direction
        self.head.weight[0] = -4 * direction
        offset = direction @ (like + unlike) / 2
        self.head.bias.copy_(torch.stack([4 * offset, -4 * offset]))
        return self.eval()


def pictures(count: int, seed: int = 0) -> Tensor:
    """Return stripes of random colours, (count, 3, SIDE, SIDE), the same all over a picture."""
    generator = torch.Generator().manual_seed(seed)
    colours = 1 + torch.rand(count, 3, 1, 1, generator=generator)
    stripes = torch.where(torch.arange(SIDE) % 4 < 2, 1.0, -1.0)
    return (colours * stripes).expand(count, 3, SIDE, SIDE).contiguous()


def small_net(channels: int = 2, classes: int = 3) -> nn.Sequential:
    """Return a random double-precision CNN with batch norm and a block of layers in place."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        Residual(4),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16, classes),
    ).double()
    net(torch.randn(16, channels, 8, 8, dtype=torch.float64))
    return net


def small_attributor(net: nn.Module, layer: str = "4", **options: object) -> Attributor:
    """Return an attributor of few steps."""
    settings: dict[str, object] = {
        "feature_iba": FeatureIBA(batch_size=3, opt_steps=4),
        "prior": WGANPrior(epochs=2, dataset_size=9, batch_size=4, sub_dataset_size=3),
        "input_iba": InputBottleneck(batch_size=3, opt_steps=4),
    }
    return Attributor(net, layer, **{**settings, **options})  # type: ignore[arg-type]


def inputs(count: int = 4, channels: int = 2, size: tuple[int, int] = (8, 8)) -> Tensor:
    """Return random inputs of a `small_net`, (count, channels, *size)."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, channels, *size, generator=generator, dtype=torch.float64)


def estimated(net: nn.Module, layer: str = "4", **options: object) -> Attributor:
    """Return a `small_attributor` that knows its layer's statistics."""
    attributor = small_attributor(net, layer, **options)
    attributor.estimate([inputs(20) + 0.1])
    return attributor


def maps(record: Attribution | Failure) -> list[Tensor]:
    """Return the map and the masks of a sample that was explained."""
    assert isinstance(record, Attribution), record
    masks = [record.input_mask, record.feature_mask, record.prior_mask, record.feature_capacity]
    return [record.map, *masks]


def assert_same(one: Attribution | Failure, other: Attribution | Failure) -> None:
    for ours, theirs in zip(maps(one), maps(other), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)
