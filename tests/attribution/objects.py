"""Pictures with coloured squares at random places, and networks that learn in seconds to read them.

Pixels are noise of deviation 0.3; a square of `EDGE` pixels is brighter by 2 in one channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIZE, EDGE, CELL = 32, 6, 8
RED, GREEN, BLUE = range(3)


def squares(
    n: int, colours: Sequence[int], seed: int, strength: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return images (n, 3, SIZE, SIZE), and corners (n, colours, 2) of squares that are apart.

    Each of the colours has one square, whose brightness is `strength`, (n, colours), 2 by default.
    """
    draws = torch.Generator().manual_seed(seed)
    images = 0.3 * torch.randn(n, 3, SIZE, SIZE, generator=draws)
    strength = torch.full((n, len(colours)), 2.0) if strength is None else strength
    # One quarter of the image for each square keeps them apart.
    quarters = torch.stack([torch.randperm(4, generator=draws) for _ in range(n)])
    half = SIZE // 2
    places = torch.randint(1, half - EDGE, (n, len(colours), 2), generator=draws)
    for i in range(n):
        for k, colour in enumerate(colours):
            quarter = int(quarters[i, k])
            places[i, k] += torch.tensor([quarter // 2 * half, quarter % 2 * half])
            top, left = places[i, k].tolist()
            images[i, colour, top : top + EDGE, left : left + EDGE] += strength[i, k]
    return images, places


def inside(maps: Tensor, corners: Tensor) -> Tensor:
    """Return which share of the hottest pixels, as many as a square has, lies in it, (n,).

    The pixels around it count as its own: a convolution sees an edge from both sides.
    """
    found = []
    for heat, (top, left) in zip(maps, corners.tolist(), strict=True):
        hottest = torch.zeros(SIZE * SIZE)
        hottest[heat.flatten().argsort(descending=True, stable=True)[: EDGE * EDGE]] = 1
        found.append(around(hottest.reshape(SIZE, SIZE), top, left).sum() / EDGE**2)
    return torch.stack(found)


def around(values: Tensor, top: int, left: int) -> Tensor:
    """Return a square of (SIZE, SIZE) with the pixels around it."""
    return values[max(top - 1, 0) : top + EDGE + 1, max(left - 1, 0) : left + EDGE + 1]


def trained(net: nn.Module, loss_of: Callable[[int], Tensor], steps: int) -> nn.Module:
    """Train a network with Adam on the losses of `steps` seeds."""
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for step in range(steps):
        optimiser.zero_grad()
        loss_of(step).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return net.eval()


def trunk(width: int = 24) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, width, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1),
        nn.ReLU(),
    )


class Segmenter(nn.Module):
    """Dense logits (B, 3, SIZE / 2, SIZE / 2): background, red, green."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = trunk()
        self.head = nn.Conv2d(24, 3, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return what segmentation networks of torchvision do."""
        return {"out": self.head(self.trunk(x))}


class Detector(nn.Module):
    """One query per cell of `CELL` pixels: class logits (red, none) and a box."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = trunk()
        self.head = nn.Conv2d(24, 6, CELL + 4, stride=CELL, padding=2)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return what detectors of `transformers` do."""
        found = self.head(self.trunk(x)).permute(0, 2, 3, 1)
        grid = (torch.arange(SIZE // CELL) + 0.5) * CELL / SIZE
        centres = torch.stack(torch.meshgrid(grid, grid, indexing="xy"), -1)
        moved = centres + 0.2 * found[..., 2:4].tanh()
        boxes = torch.cat([moved, found[..., 4:].sigmoid() * 0.4], -1)
        return {"logits": found[..., :2].flatten(1, 2), "pred_boxes": boxes.flatten(1, 2)}


class Regressor(nn.Module):
    """One value per image, (B,)."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = trunk()
        self.head = nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the brightness of the red square."""
        return self.head(self.trunk(x).flatten(2).topk(9).values.mean(2))[:, 0]  # type: ignore[no-any-return]


class PairClassifier(nn.Module):
    """Logits of three classes, which pair squares; the first two share the red one.

    It is built rather than trained, so that a logit is exactly the sum of its squares' evidence.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, groups=3), nn.ReLU())
        self.head = nn.Linear(3, len(PAIRS))
        with torch.no_grad():
            self.trunk[0].weight.fill_(1 / 9)  # type: ignore[operator]
            self.trunk[0].bias.fill_(-0.3)  # type: ignore[operator]
            self.head.bias.zero_()
            self.head.weight.zero_()
            for index, pair in enumerate(PAIRS):
                self.head.weight[index, list(pair)] = 60.0

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 3)."""
        return self.head(self.trunk(x).mean((2, 3)))  # type: ignore[no-any-return]


PAIRS = ((RED, GREEN), (RED, BLUE), (GREEN, BLUE))
"""Which squares each class has."""


def masks_of(corners: Tensor, scale: int = 2) -> Tensor:
    """Return the class of each position of a map `scale` times smaller, (n, …): 0, or 1 + k."""
    n, count, _ = corners.shape
    found = torch.zeros(n, SIZE // scale, SIZE // scale, dtype=torch.long)
    for i in range(n):
        for k in range(count):
            top, left = (corners[i, k].float() / scale).ceil().int().tolist()
            found[i, top : top + EDGE // scale, left : left + EDGE // scale] = 1 + k
    return found


def segmenter() -> nn.Module:
    torch.manual_seed(0)
    net = Segmenter()

    def loss(seed: int) -> Tensor:
        images, corners = squares(32, [RED, GREEN], seed)
        weights = torch.tensor([0.2, 1.0, 1.0])
        return F.cross_entropy(net(images)["out"], masks_of(corners), weights)

    return trained(net, loss, 120)


def detector() -> nn.Module:
    torch.manual_seed(0)
    net = Detector()

    def loss(seed: int) -> Tensor:
        images, corners = squares(32, [RED, RED], seed)
        found = net(images)
        middles = (corners + EDGE / 2).flip(-1) / SIZE  # x, y
        cells = (corners + EDGE / 2).long() // CELL
        query = cells[..., 0] * (SIZE // CELL) + cells[..., 1]
        labels = torch.ones(32, (SIZE // CELL) ** 2, dtype=torch.long).scatter(1, query, 0)
        wanted = torch.cat([middles, torch.full_like(middles, EDGE / SIZE)], -1)
        boxes = found["pred_boxes"].gather(1, query[..., None].expand(-1, -1, 4))
        return F.cross_entropy(found["logits"].transpose(1, 2), labels) + 5 * F.l1_loss(
            boxes, wanted
        )

    return trained(net, loss, 300)


def regressor() -> nn.Module:
    torch.manual_seed(0)
    net = Regressor()

    def loss(seed: int) -> Tensor:
        strength = 0.5 + 2 * torch.rand(64, 1, generator=torch.Generator().manual_seed(seed))
        images, _ = squares(64, [RED], seed, strength)
        return F.mse_loss(net(images), strength[:, 0])

    return trained(net, loss, 200)
