"""Draw the pictures of the home page, the gallery and the methods: python -m docs.site.gallery.

Names behind it draw these alone. Networks come with packages, or are trained here within seconds;
all takes some minutes on two cores. The other pictures of the gallery are drawn by the pages that
it links to.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn

from docs.site import learnt
from docs.site.learnt import COLOURS, boxes_of, squares
from input_iba import BoxTarget, InputIBA
from input_iba.attribution.methods import MethodAttributor
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.drawing.heat_map import heat_of, overlay, rendered
from input_iba.drawing.words import percent
from input_iba.evaluation.insertion_deletion import order
from input_iba.modality.units import Pixels
from input_iba.models import build_classifier
from input_iba.records import Attribution, Explanation
from input_iba.registry import BASELINES, build

SIDE, CROPS, HIDDEN = 224, 200, 0.2
HOME = ("coffee", "camera", "motorcycle", "rocket")
BESIDE = (
    *("grad_cam", "layer_cam", "score_cam", "gradient", "input_x_gradient", "smooth_grad"),
    *("int_grad", "expected_gradients", "guided_bp", "occlusion", "rise", "ex_perturb", "lime"),
)
"""Methods that are drawn beside ours."""

Panel = tuple[str, Any]
"""Title, and pixels (H, W, 3)."""


class Photographs:
    """EfficientNet-Lite0, photographs that come with packages, and what was found in them."""

    def __init__(self, side: int = SIDE, crops: int = CROPS) -> None:
        self.side = side
        self.network: nn.Module = build_classifier(
            {"source": "efficientnet_lite", "type": "efficientnet_lite0", "pretrained": True}
        )
        self.data = self._data(type="Samples")
        every = self._data(type="SampleCrops", n=crops)
        self.crops = torch.stack([every[i].input for i in range(crops)])

    def _data(self, **kind: Any) -> SampleDataset:
        mean = {"mean": [127 / 255] * 3, "std": [128 / 255] * 3}
        cut = [
            {"type": "SmallestMaxSize", "max_size": self.side, "interpolation": "bicubic"},
            {"type": "CenterCrop", "height": self.side, "width": self.side},
        ]
        return build_dataset(
            {**kind, "pipeline": [*cut, {"type": "Normalize", **mean}, {"type": "ToTensorV2"}]}
        )

    def inputs(self, names: Sequence[str]) -> Tensor:
        """Return photographs, (S, 3, H, W)."""
        return torch.stack([self.data[self.data.ids.index(name)].input for name in names])

    @cached_property
    def explainer(self) -> InputIBA:
        """What explains the network, with the statistics of crops."""
        return InputIBA(self.network, class_names=self.data.class_names).fit(self.crops)


def seen(inputs: Tensor) -> Any:
    """Return an input (3, H, W) as people see it, (H, W, 3), uint8."""
    pixels = inputs.permute(1, 2, 0) * 128 + 127
    return pixels.round().clamp(0, 255).to(torch.uint8).numpy()


def panels(rows: Sequence[Sequence[Panel]], inch: float = 1.9) -> Figure:
    """Draw rows of pixels with titles."""
    width = max(map(len, rows))
    figure = Figure(figsize=(inch * width, (inch + 0.25) * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), width, squeeze=False)
    for line, row in zip(axes, rows, strict=True):
        for axis in line:
            axis.axis("off")
        for axis, (title, pixels) in zip(line, row, strict=False):
            axis.imshow(pixels)
            axis.set_title(title, fontsize=10)
    return figure


@torch.no_grad()
def home(scene: Photographs) -> Figure:
    """Draw photographs, where the network looked, and the same without what it looked at."""
    inputs = scene.inputs(HOME)
    found: Any = scene.explainer.attribute(inputs)
    labels = torch.tensor([record.prediction for record in found])
    units, everyone = Pixels(scene.network, inputs), torch.arange(len(inputs))
    places, _ = order(units, found.maps[:, 0])
    hidden = places < HIDDEN * places.shape[1]
    chances = units.logits(everyone, hidden).softmax(1)[everyone, labels]
    rows: list[list[Panel]] = [[], [], []]
    for i, record in enumerate(found):
        name, image = record.class_name(record.prediction), seen(inputs[i])
        without = inputs[i] * ~hidden[i].view(1, *inputs.shape[2:])
        rows[0].append((f"{name} {percent(record.target_probability)}", image))
        rows[1].append(("", overlay(image, heat_of(record.map.numpy()))))
        rows[2].append((f"{name} {percent(float(chances[i]))}", seen(without)))
    return panels(rows)


def methods(scene: Photographs) -> Figure:
    """Draw one photograph and its maps by our method and by others, each in its own colours."""
    inputs = scene.inputs(["coffee"])
    ours = scene.explainer.attribute(inputs).records[0]
    assert isinstance(ours, Attribution)
    drawn: list[Panel] = [
        ("photograph", seen(inputs[0])),
        ("input_iba", rendered(ours.map.numpy())),
    ]
    drawn.append(("iba (our feature mask)", rendered(ours.feature_mask.numpy())))
    for name in BESIDE:
        other = MethodAttributor(scene.network, build(BASELINES, {"type": name}))
        other.estimate(torch.split(scene.crops, 16))
        [record] = other.attribute(inputs, [ours.prediction])
        assert isinstance(record, Explanation)
        drawn.append((name, rendered(record.map.numpy())))
    return panels([drawn[start : start + 4] for start in range(0, len(drawn), 4)])


def transformer(_scene: Photographs) -> Figure:
    """Draw squares of a colour, and the maps of a transformer that tells the colours apart."""
    images, _, _ = squares(4, 1000)
    explainer = InputIBA(learnt.transformer(), class_names=list(COLOURS), precision="fp32")
    found: list[Any] = list(explainer.fit(squares(200, 2000)[0]).attribute(images))
    return panels(
        [
            [
                (record.class_name(record.prediction), seen(x))
                for record, x in zip(found, images, strict=True)
            ],
            [("", rendered(record.map.numpy())) for record in found],
        ]
    )


def detector(_scene: Photographs) -> Figure:
    """Draw two squares, and the maps of a detector that is asked about the box of each."""
    images, colours, corners = squares(2, 1000, each=2)
    explainer = InputIBA(learnt.detector(), class_names=list(COLOURS), precision="fp32")
    explainer.fit(squares(200, 2000, each=2)[0])
    rows: list[list[Panel]] = []
    for image, labels, boxes in zip(images, colours.tolist(), boxes_of(corners), strict=True):
        asked = [
            BoxTarget(tuple(box.tolist()), label) for box, label in zip(boxes, labels, strict=True)
        ]
        found: list[Any] = list(explainer.attribute(image, targets=asked))
        row: list[Panel] = [("", seen(image))]
        for record, label in zip(found, labels, strict=True):
            row.append((f"the {list(COLOURS)[label]} box", rendered(record.map.numpy())))
        rows.append(row)
    return panels(rows)


PICTURES: Mapping[str, Any] = {
    "home": home,
    "methods": methods,
    "transformer": transformer,
    "detector": detector,
}


def main(folder: Path, scene: Photographs, names: Sequence[str] = ()) -> None:
    """Draw pictures as JPEG.

    Args:
        folder: Where they go.
        scene: What they show.
        names: Of `PICTURES`; all when empty.
    """
    for name in names or PICTURES:
        figure = PICTURES[name](scene)
        FigureCanvasAgg(figure)
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=110, format="png")
        Image.open(drawn).convert("RGB").save(folder / f"{name}.jpg", quality=85, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    given = parser.parse_args()
    main(Path(__file__).parents[1] / "images", Photographs(), given.names)
