"""A classifier of grey-scale X-rays, trained in place: is its evidence where the shadow is?

The pictures are drawn: two dark lungs behind ribs, a heart, noise. Half of them have a small round
shadow in a lung (class 1). All have a clip on the skin, which is brighter and means nothing. So it
is known where the map has to lie, and the script says how much of it does.

    python examples/chest_xray.py            a minute of one core; writes chest_xray.png
    python examples/chest_xray.py --small    a few seconds, on fewer pictures
"""

import argparse

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

import input_iba

SIDE = 64


def blob(x: Tensor, y: Tensor, width: float, height: float, soft: float = 0.15) -> Tensor:
    """Return ellipses (S, SIDE, SIDE) around (x, y), 1 inside and 0 outside, with soft edges."""
    at = torch.arange(SIDE).float()
    across = (at[None, None] - x[:, None, None]) / width
    down = (at[None, :, None] - y[:, None, None]) / height
    return torch.sigmoid((1 - (across.square() + down.square()).sqrt()) / soft)


def radiographs(count: int, draws: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return pictures (S, 1, SIDE, SIDE), their classes (S,), and where each shadow is, bool."""

    def between(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=draws)

    classes = torch.arange(count) % 2
    left, right, middle = between(17, 21), between(43, 47), between(30, 34)
    lungs = blob(left, middle, 11.0, 23.0) + blob(right, middle, 11.0, 23.0)
    ribs = torch.sin(torch.arange(SIDE) / 3.2 + between(0, 6)[:, None])[:, :, None].clamp_min(0)
    heart = blob(between(33, 37), between(42, 46), 9.0, 10.0)
    body = 0.8 - 0.6 * lungs.clamp(0, 1) + 0.15 * ribs + 0.35 * heart
    side = torch.where(torch.rand(count, generator=draws) < 0.5, left, right)
    x, y = side + between(-4, 4), middle + between(-13, 13)
    shadow = blob(x, y, 3.5, 3.5) * classes[:, None, None]
    clip = blob(between(8, 56), between(3, 6), 2.0, 2.0)
    noise = 0.06 * torch.randn(count, SIDE, SIDE, generator=draws)
    pictures = body + 0.35 * shadow + 0.6 * clip + noise
    return (pictures[:, None] - 0.6) / 0.3, classes, blob(x, y, 6.0, 6.0) > 0.5


def network() -> nn.Module:
    """Return a small network of convolutions, which looks for a sign anywhere."""
    layers: list[nn.Module] = []
    for put_in, put_out in ((1, 8), (8, 16), (16, 32)):
        layers += [nn.Conv2d(put_in, put_out, 3, padding=1), nn.BatchNorm2d(put_out), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if put_out < 32 else [nn.AdaptiveMaxPool2d(1)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32, 2))


def trained(model: nn.Module, pictures: Tensor, classes: Tensor, steps: int) -> nn.Module:
    """Train a model; return it in eval mode."""
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(steps):
        some = torch.randint(len(pictures), (32,))
        optimiser.zero_grad()
        F.cross_entropy(model(pictures[some]), classes[some]).backward()
        optimiser.step()
    return model.eval()


def draw(path: str, pictures: Tensor, maps: Tensor, regions: Tensor) -> None:
    """Write pictures above their maps, each shadow in a frame."""
    figure = Figure(figsize=(1.7 * len(pictures), 3.6), layout="constrained")
    for column, (picture, heat, region) in enumerate(zip(pictures, maps, regions, strict=True)):
        for row, (image, colours) in enumerate(((picture[0], "gray"), (heat[0], "inferno"))):
            axis = figure.add_subplot(2, len(pictures), row * len(pictures) + column + 1)
            axis.imshow(image.numpy(), cmap=colours)
            axis.contour(region.numpy(), levels=[0.5], colors="cyan", linewidths=0.8)
            axis.set_axis_off()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Train, explain, and check where the map lies."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a few seconds, on fewer pictures")
    small = parser.parse_args().small
    torch.manual_seed(0)
    draws = torch.Generator().manual_seed(0)
    pictures, classes, _ = radiographs(400 if small else 2000, draws)
    model = trained(network(), pictures, classes, steps=120 if small else 400)
    fresh, labels, regions = radiographs(200, draws)
    with torch.no_grad():
        right = model(fresh).argmax(1) == labels
    print(f"Of 200 new pictures {right.double().mean():.1%} are told right.")

    sick = (right & (labels == 1)).nonzero().flatten()[: 4 if small else 8]
    iba = input_iba.InputIBA(model, class_names=["healthy", "shadow"]).fit(pictures)
    found = iba.attribute(fresh[sick], target="shadow")

    inside = (found.maps[:, 0] * regions[sick]).sum((1, 2)) / found.maps[:, 0].sum((1, 2))
    area = regions[sick].double().mean()
    print(f"Of the maps {inside.mean():.0%} lie in the shadow, which covers {area:.0%}.")
    draw("chest_xray.png", fresh[sick], found.maps, regions[sick])
    print("Written: chest_xray.png")
    if inside.mean() < 10 * area:
        raise SystemExit("The maps are not where the shadow is.")


if __name__ == "__main__":
    main()
