"""Draw the pictures of concepts.md into this folder: python tutorials/images/draw.py.

All show EfficientNet-Lite0 on photographs that packages bring, with the parameters of the preset
`fast` where nothing else is said. It takes some minutes on two cores.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from input_iba.attribution import Attributor, FeatureIBA, InputBottleneck, SaliencyPrior
from input_iba.core.information import feature_capacity
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.models import build_classifier
from input_iba.records import Attribution, ImageSample

LAYER = "_blocks.10"
CAT, CUP = "chelsea", "coffee"
COLOURS = 160
"""Of a picture's palette: enough for these, and half of the bytes."""

_FEATURE = FeatureIBA(noise="antithetic")
_INPUT = InputBottleneck(
    initial_alpha=6, prior_odds=0.1, opt_steps=20, lr=0.25, batch_size=5, noise="antithetic"
)


class Scene:
    """The network, two photographs, and what explains them.

    Args:
        side: Pixels per side of the photographs.
        crops: Crops from which statistics are estimated.
    """

    def __init__(self, side: int = 224, crops: int = 96) -> None:
        self.side, self.crops = side, crops
        self.network = build_classifier(
            {"source": "efficientnet_lite", "type": "efficientnet_lite0", "pretrained": True}
        ).eval()

    def _data(self, **kind: Any) -> SampleDataset:
        mean = {"mean": [127 / 255] * 3, "std": [128 / 255] * 3}
        resize = [
            {"type": "SmallestMaxSize", "max_size": self.side, "interpolation": "bicubic"},
            {"type": "CenterCrop", "height": self.side, "width": self.side},
        ]
        pipeline = [*resize, {"type": "Normalize", **mean}, {"type": "ToTensorV2"}]
        return build_dataset({**kind, "pipeline": pipeline})

    @cached_property
    def photographs(self) -> SampleDataset:
        """The cat and the cup."""
        return self._data(type="Samples", names=[CAT, CUP])

    @cached_property
    def batches(self) -> list[Tensor]:
        """Crops for statistics, (16, 3, H, W) each."""
        crops = self._data(type="SampleCrops", n=self.crops)
        every = torch.stack([crops[i].input for i in range(self.crops)])
        return list(torch.split(every, 16))

    def sample(self, name: str) -> ImageSample:
        """Return a photograph."""
        found = self.photographs[self.photographs.ids.index(name)]
        assert isinstance(found, ImageSample)
        return found

    def explain(
        self,
        name: str,
        target: int | None = None,
        layer: str = LAYER,
        feature: FeatureIBA = _FEATURE,
        own: InputBottleneck = _INPUT,
    ) -> Attribution:
        """Explain a photograph for a class, by default the predicted one."""
        attributor = Attributor(
            self.network, layer, feature_iba=feature, prior=SaliencyPrior(), input_iba=own
        )
        attributor.estimate(self.batches)
        targets = None if target is None else [target]
        [found] = attributor.attribute(self.sample(name).input[None], targets)
        assert isinstance(found, Attribution)
        return found

    def chance(self, inputs: Tensor, target: int) -> float:
        """Return the mean probability of a class for inputs (B, 3, H, W)."""
        with torch.no_grad():
            return float(self.network(inputs).softmax(1)[:, target].mean())

    def index(self, name: str) -> int:
        """Return the index of a class."""
        assert self.photographs.class_names is not None
        return self.photographs.class_names.index(name)


Panel = tuple[str, Any] | tuple[str, Any, float]
"""Title, (H, W, 3) or (H, W), and for a map with a scale of its own the value of its end."""


def pixels(inputs: Tensor) -> Tensor:
    """Return an input (3, H, W) as people see it, (H, W, 3) in [0, 1]."""
    return (inputs * (128 / 255) + 127 / 255).clamp(0, 1).permute(1, 2, 0)


def bits(found: Attribution) -> str:
    """Say how many bits pass the feature bottleneck."""
    return f"{float(found.feature_capacity.sum()):,.0f} bits"


def panels(rows: Sequence[Sequence[Panel]], inch: float = 1.9) -> Figure:
    """Draw rows of pictures with titles."""
    width = max(map(len, rows))
    figure = Figure(figsize=(inch * width, (inch + 0.42) * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), width, squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        for axis in line:
            axis.axis("off")
        for axis, (title, values, *end) in zip(line, row, strict=False):
            limits = {"vmin": 0, "vmax": end[0]} if end else {}
            axis.imshow(values, cmap="inferno", **limits)
            axis.set_title(title, fontsize=8)
    return figure


def bottleneck(scene: Scene) -> Figure:
    """Draw what the learned mask lets pass, and what as much noise everywhere does."""
    cup = scene.sample(CUP)
    found = scene.explain(CUP, own=replace(_INPUT, opt_steps=60))
    target, mask = found.target or 0, found.input_mask
    noise = torch.randn(8, *cup.input.shape, generator=torch.Generator().manual_seed(0))

    def panel(mask: Tensor | float, title: str) -> Panel:
        z = mask * cup.input + (1 - mask) * noise
        return f"{title}\n{scene.chance(z, target):.0%}", pixels(z[0])

    name = (scene.photographs.class_names or [])[target]
    mean = float(mask.mean())
    return panels(
        [
            [
                panel(1.0, f"the input: {name}"),
                ("learned mask λ\n(0 black, 1 bright)", mask, 1.0),
                panel(mask, f"what it lets pass, mean λ {mean:.2f}"),
                panel(mean, f"λ = {mean:.2f} everywhere"),
            ]
        ]
    )


def capacity(scene: Scene) -> Figure:
    """Draw bits of one element over its mask, and the bits of a whole layer."""
    figure = Figure(figsize=(8.4, 2.7), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.5, 1, 1))
    lambdas = torch.linspace(0, 0.999, 200)
    for distance in (0, 1, 2, 4):
        nats = feature_capacity(
            torch.full_like(lambdas, distance), lambdas, torch.tensor(0.0), torch.tensor(1.0)
        )
        left.plot(lambdas, nats / np.log(2), label=f"{distance} s from usual")
    left.set(xlabel="mask λ", ylabel="bits", ylim=(0, 12))
    left.set_title("one element", fontsize=8)
    left.legend(fontsize=7)
    found = scene.explain(CAT)
    shown = middle.imshow(found.feature_capacity, cmap="inferno")
    middle.set_title(f"bits per position, {bits(found)} in all", fontsize=8)
    figure.colorbar(shown, ax=middle, shrink=0.8)
    shown = right.imshow(found.feature_mask, cmap="inferno")
    right.set_title("the same as bits per pixel", fontsize=8)
    figure.colorbar(shown, ax=right, shrink=0.8)
    for axis in (middle, right):
        axis.axis("off")
    return figure


def layers(scene: Scene) -> Figure:
    """Draw the maps that different layers give."""
    rows: list[list[Panel]] = [[("the photograph", pixels(scene.sample(CAT).input))], []]
    rows[1].append(("", np.ones((8, 8, 3))))
    for layer in ("_blocks.2", "_blocks.5", "_blocks.10", "_blocks.14"):
        found = scene.explain(CAT, layer=layer)
        size = "×".join(map(str, found.feature_capacity.shape))
        rows[0].append((f"{layer}, {size}\n{bits(found)}", found.feature_mask))
        rows[1].append(("input mask", found.input_mask))
    return panels(rows)


def betas(scene: Scene) -> Figure:
    """Draw the maps that different weights of the information give."""
    rows: list[list[Panel]] = [[], []]
    for beta in (1, 5, 20, 100):
        found = scene.explain(
            CAT, feature=replace(_FEATURE, beta=beta), own=replace(_INPUT, beta=beta)
        )
        kept = float((-found.losses["feature_iba/target"][-1]).exp())
        rows[0].append((f"β = {beta}: {bits(found)}\nprobability {kept:.0%}", found.feature_mask))
        mean = float(found.input_mask.mean())
        rows[1].append((f"input mask, mean {mean:.2f}", found.input_mask))
    return panels(rows)


def targets(scene: Scene) -> Figure:
    """Draw maps of one photograph for classes that it shows, and for one that it does not."""
    rows: list[list[Panel]] = [[("the photograph", pixels(scene.sample(CUP).input))], []]
    rows[1].append(("", np.ones((8, 8, 3))))
    for name in ("espresso", "cup", "goldfish"):
        found = scene.explain(CUP, scene.index(name))
        chance = f"{found.target_probability:.1%}"
        rows[0].append((f"{name} ({chance})\nfeature mask, {bits(found)}", found.feature_mask))
        rows[1].append(("input mask", found.input_mask))
    return panels(rows)


PICTURES: Mapping[str, Callable[[Scene], Figure]] = {
    "bottleneck": bottleneck,
    "bits": capacity,
    "layers": layers,
    "betas": betas,
    "targets": targets,
}


def main(folder: Path, scene: Scene, names: Sequence[str] = ()) -> None:
    """Draw pictures as PNG, with a palette so that they stay small.

    Args:
        folder: Where they go.
        scene: What they show.
        names: Of `PICTURES`; all when empty.
    """
    for name in names or PICTURES:
        figure = PICTURES[name](scene)
        FigureCanvasAgg(figure)
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=90, format="png")
        picture = Image.open(drawn).convert("RGB").quantize(COLOURS)
        picture.save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(__file__).parent, Scene(), sys.argv[1:])
