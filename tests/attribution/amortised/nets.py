"""Small classifiers and their inputs, of which explainers are trained within seconds."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba import AmortisedIBA
from input_iba.modality import TextModality
from input_iba.training.explainer_settings import ExplainerTraining
from tests.attribution.nets import inputs, small_net
from tests.attribution.objects import GREEN, RED, squares, trained
from tests.attribution.text_nets import PAD, TinyLSTM, sentences

FEW = ExplainerTraining(epochs=1, batch_size=8)


def single_net() -> nn.Sequential:
    """Return a `small_net` in single precision."""
    net = small_net().float()
    assert isinstance(net, nn.Sequential)
    return net


def images(count: int, seed: int = 1) -> Tensor:
    """Return inputs of a `single_net`, (count, 2, 8, 8)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, *inputs(1).shape[1:], generator=generator)


def fitted(net: nn.Module | None = None, **settings: Any) -> AmortisedIBA:
    """Return an explainer of a few images that has learned a little."""
    return AmortisedIBA(net or single_net(), "4").fit(images(20), training=FEW, **settings)


def of_words(net: TinyLSTM | None = None, **settings: Any) -> AmortisedIBA:
    """Return an explainer of sentences, untrained."""
    words = {"modality": TextModality(pad=PAD), "taps": ["rnn_1", "rnn_2"]}
    return AmortisedIBA(net or TinyLSTM(2), "rnn_1", **{**words, **settings})


class Pyramid(nn.Module):
    """Three sizes of maps, and a mean of the coarsest."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU())
        self.body = nn.Sequential(nn.Conv2d(12, 16, 3, stride=2, padding=1), nn.ReLU())
        self.top = nn.Sequential(nn.Conv2d(16, 24, 3, stride=2, padding=1), nn.ReLU())
        self.head = nn.Linear(24, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 2): red and green."""
        logits: Tensor = self.head(self.top(self.body(self.stem(x))).mean((2, 3)))
        return logits


def coloured(each: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return images with a red square, then with a green one, (2 · each, …), and its corners."""
    parts = [squares(each, [colour], seed + colour) for colour in (RED, GREEN)]
    images, corners = (torch.cat(part) for part in zip(*parts, strict=True))
    return images, corners[:, 0]


def of_colours() -> nn.Module:
    """Return a `Pyramid` that tells squares by their colour."""
    torch.manual_seed(0)
    net = Pyramid()
    classes = torch.arange(2).repeat_interleave(16)
    return trained(net, lambda step: F.cross_entropy(net(coloured(16, 2 * step)[0]), classes), 120)


__all__ = ["PAD", "Pyramid", "TinyLSTM", "coloured", "fitted", "images", "of_colours", "of_words"]
__all__ += ["FEW", "sentences", "single_net"]
