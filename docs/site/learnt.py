"""Two networks that learn within seconds what a seed has drawn: a transformer and a detector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import ViTConfig, ViTForImageClassification

SIDE, EDGE = 32, 8
COLOURS = {"red": (1.0, -1.0, -1.0), "green": (-1.0, 1.0, -1.0), "blue": (-1.0, -1.0, 1.0)}


def squares(count: int, seed: int, each: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Draw noise with squares.

    Args:
        count: How many images, S.
        seed: Of everything.
        each: Squares of an image, n: one that fills a patch of 8×8 pixels, or two, anywhere in the
            upper and in the lower half.

    Returns:
        Images (S, 3, H, W) in about [−1, 1], the squares' colours (S, n), and their upper left
        corners (S, n, 2), row and column.
    """
    random = torch.Generator().manual_seed(seed)
    images = 0.2 * torch.randn(count, 3, SIDE, SIDE, generator=random)
    colours = torch.randint(len(COLOURS), (count, each), generator=random)
    if each == 1:  # on the patches of the transformer
        corners = EDGE * torch.randint(SIDE // EDGE, (count, 1, 2), generator=random)
    else:
        corners = torch.randint(SIDE - EDGE, (count, each, 2), generator=random)
        corners[..., 0] = corners[..., 0] // 3 + SIDE // 2 * torch.arange(each)
    tints = torch.tensor(list(COLOURS.values()))
    for image, labels, places in zip(images, colours, corners, strict=True):
        for label, (top, left) in zip(labels, places.tolist(), strict=True):
            image[:, top : top + EDGE, left : left + EDGE] = tints[label][:, None, None]
    return images, colours, corners


def boxes_of(corners: Tensor) -> Tensor:
    """Return (left, top, right, bottom) in pixels, (…, 4), of upper left corners (…, 2)."""
    first = corners.flip(-1).float()
    return torch.cat([first, first + EDGE], -1)


class Classes(nn.Module):
    """The logits of a ViT that has learnt which colour a square has."""

    def __init__(self) -> None:
        super().__init__()
        size = {"image_size": SIDE, "patch_size": EDGE, "hidden_size": 32, "num_hidden_layers": 4}
        heads = {"num_attention_heads": 2, "intermediate_size": 64}
        self.vit = ViTForImageClassification(ViTConfig(**size, **heads, num_labels=len(COLOURS)))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, classes) of images (B, 3, H, W)."""
        logits: Tensor = self.vit(images).logits
        return logits


class Detector(nn.Module):
    """Finds a square in each half of an image: two queries, a class and a box of each."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU()),
            *(nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU()),
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(1024, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return logits (B, 2, classes + 1), the last for no object, and boxes (B, 2, 4)."""
        found = self.head(self.body(images)).view(len(images), 2, 8)
        return {"logits": found[..., :4], "pred_boxes": found[..., 4:].sigmoid()}


def transformer() -> nn.Module:
    """Train a `Classes`."""
    torch.manual_seed(0)
    network = Classes()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for seed in range(120):
        images, colours, _ = squares(32, seed)
        optimiser.zero_grad()
        F.cross_entropy(network(images), colours[:, 0]).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return network.eval()


def detector() -> nn.Module:
    """Train a `Detector`."""
    torch.manual_seed(0)
    network = Detector()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    for seed in range(500):
        images, colours, corners = squares(64, seed, each=2)
        boxes = boxes_of(corners) / SIDE
        middle, size = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
        found = network(images)
        optimiser.zero_grad()
        loss = F.cross_entropy(found["logits"].flatten(0, 1), colours.flatten())
        loss += 5 * F.l1_loss(found["pred_boxes"], torch.cat([middle, size], -1))
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return network.eval()
