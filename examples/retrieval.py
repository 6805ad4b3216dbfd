"""A search engine for pictures: which object made a picture match the words?

Pictures and texts are read by two encoders, which are trained so that a picture lies near the words
for each of its two objects. The same picture is then explained for one text and for the other: the
map has to move from object to object, and the script says how much of it lies on the one that was
asked for.

    python examples/retrieval.py            a minute of one core; writes retrieval.png
    python examples/retrieval.py --small    a few seconds, on fewer pictures
"""

import argparse

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

import input_iba
from input_iba import EmbeddingTarget

SIDE, OBJECT = 48, 13
COLOURS = {"red": (1, -1, -1), "green": (-1, 1, -1), "blue": (-1, -1, 1)}
SHAPES = ["circle", "square", "cross"]
TEXTS = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
WORDS = [*COLOURS, *SHAPES]


def shape_of(name: str) -> Tensor:
    """Return which pixels of a square of OBJECT×OBJECT a shape fills."""
    at = torch.arange(OBJECT).float() - OBJECT // 2
    far = OBJECT // 2
    if name == "circle":
        return at[:, None].square() + at[None].square() <= far**2
    if name == "square":
        return torch.maximum(at[:, None].abs(), at[None].abs()) <= far - 1
    return torch.minimum(at[:, None].abs(), at[None].abs()) <= 2


def pictures(count: int, draws: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return pictures (S, 3, SIDE, SIDE) of two objects each, which they are (S, 2), and where."""
    images = 0.3 * torch.randn(count, 3, SIDE, SIDE, generator=draws)
    objects = torch.rand(count, len(TEXTS), generator=draws).argsort(1)[:, :2]
    where = torch.zeros(count, 2, SIDE, SIDE, dtype=torch.bool)
    for image, pair, regions in zip(images, objects.tolist(), where, strict=True):
        flip = int(torch.randint(2, (), generator=draws))
        for place, one in enumerate(pair):  # one in the left half, the other in the right
            top, left = torch.randint(4, SIDE // 2 - OBJECT - 1, (2,), generator=draws).tolist()
            top += int(torch.randint(SIDE // 2, (), generator=draws))
            left += SIDE // 2 * (place ^ flip)
            colour, shape = TEXTS[one].split()
            down, across = slice(top, top + OBJECT), slice(left, left + OBJECT)
            filled = shape_of(shape)
            values = torch.tensor(COLOURS[colour], dtype=torch.float)[:, None]
            image[:, down, across][:, filled] += values
            regions[place, down, across] = True
    return images, objects, where


class Words(nn.Module):
    """The mean of the vectors of a text's words."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.vectors = nn.EmbeddingBag(len(WORDS), width)
        self.project = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, texts: list[str]) -> Tensor:
        """Return one vector per text, (B, width)."""
        ids = torch.tensor([[WORDS.index(word) for word in text.split()] for text in texts])
        found: Tensor = self.project(self.vectors(ids))
        return found


def image_encoder(width: int) -> nn.Module:
    """Return convolutions whose strongest responses, wherever they are, become a vector."""
    layers: list[nn.Module] = []
    for put_in, put_out in ((3, 16), (16, 32), (32, 32)):
        layers += [nn.Conv2d(put_in, put_out, 3, padding=1), nn.BatchNorm2d(put_out), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if len(layers) < 8 else [nn.AdaptiveMaxPool2d(1)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32, width))


def trained(
    encoder: nn.Module, words: Words, images: Tensor, objects: Tensor, steps: int
) -> nn.Module:
    """Train both encoders, so that a picture is near the texts of both its objects."""
    optimiser = torch.optim.Adam([*encoder.parameters(), *words.parameters()], 5e-3)
    for _ in range(steps):
        some = torch.randint(len(images), (32,))
        match = F.normalize(encoder(images[some])) @ F.normalize(words(TEXTS)).T
        wanted = torch.zeros_like(match).scatter_(1, objects[some], 0.5)
        optimiser.zero_grad()
        F.cross_entropy(match / 0.1, wanted).backward()
        optimiser.step()
    return encoder.eval()


def draw(path: str, images: Tensor, asked: list[list[int]], maps: list[Tensor]) -> None:
    """Write each picture, and under it its maps for the two texts."""
    figure = Figure(figsize=(1.7 * len(images), 5.4), layout="constrained")
    for column, image in enumerate(images):
        shown = (image.permute(1, 2, 0) / 3 + 0.5).clamp(0, 1)
        for row, heat in enumerate((shown, *(of[column, 0] for of in maps))):
            axis = figure.add_subplot(3, len(images), row * len(images) + column + 1)
            axis.imshow(heat.numpy(), cmap="inferno")
            axis.set_axis_off()
            axis.set_title(TEXTS[asked[column][row - 1]] if row else "", fontsize=9)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Train, explain for both texts, and check that the map moves."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a few seconds, on fewer pictures")
    small = parser.parse_args().small
    torch.manual_seed(0)
    draws = torch.Generator().manual_seed(0)
    images, objects, _ = pictures(600 if small else 2000, draws)
    words = Words(24)
    encoder = trained(image_encoder(24), words, images, objects, steps=200 if small else 600)
    fresh, asked, where = pictures(100, draws)
    with torch.no_grad():
        texts = words(TEXTS)
        best = (F.normalize(encoder(fresh)) @ F.normalize(texts).T).topk(2).indices
    right = (best.sort(1).values == asked.sort(1).values).all(1)
    print(f"Of 100 new pictures {right.double().mean():.0%} find both of their texts first.")

    shown = right.nonzero().flatten()[: 3 if small else 6]
    iba = input_iba.InputIBA(encoder).fit(images)
    maps = []
    for place in (0, 1):
        target = [EmbeddingTarget(texts[one]) for one in asked[shown, place].tolist()]
        maps.append(iba.attribute(fresh[shown], target).maps)
    for place, found in enumerate(maps):
        regions = where[shown]
        mine, other = ((found[:, 0] * regions[:, p]).sum((1, 2)) for p in (place, 1 - place))
        share = (mine / (mine + other)).mean()
        within = (mine / found[:, 0].sum((1, 2))).mean()
        print(
            f"Object {place + 1}: {within:.0%} of the maps on it, {share:.0%} of what is on both."
        )
        if share < 0.75:
            raise SystemExit("The maps do not follow the words.")
    draw("retrieval.png", fresh[shown], asked[shown].tolist(), maps)
    print("Written: retrieval.png")


if __name__ == "__main__":
    main()
