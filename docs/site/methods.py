"""Write the tables of docs/methods.md: python -m docs.site.methods.

What a method shows and asks for is read from its class. What it costs is counted while it explains
images; how it stands is read from the tables of docs/BENCHMARK.md.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from input_iba import AmortisedIBA, InputIBA
from input_iba.attribution.methods import Method, MethodAttributor
from input_iba.commands.benchmark.maps import Passes
from input_iba.errors import InputIBAError
from input_iba.models import build_classifier
from input_iba.registry import BASELINES, build

DOCS = Path(__file__).parents[1]
PAGE, RESULTS = DOCS / "methods.md", DOCS / "BENCHMARK.md"
SIDE, CLASSES = 224, 5

OURS = {
    "input_iba": "How much of what the target needs lies where, in bits per pixel or word.",
    "instant": "The same by the preset `instant`.",
    "input_mask": "The mask of the input bottleneck alone, from 0 to 1; of the same run.",
}
"""Readings of our own method: they have no class among the others."""

TABLES = {
    "Photographs": "EfficientNet-Lite0 on ImageNet",
    "Reviews": "MiniLM on movie reviews",
    "CIFAR-10": "ResNet-8 on CIFAR-10",
    "Known answers": "Known answers",
}
"""Names of tables of results: how their headings in BENCHMARK.md begin."""

COUNTED = ("mean rank", "best or level")
"""Beginnings of columns that are not a measure."""


class Convolutional(nn.Module):
    """A network that costs hardly anything, for images of any size, with `width` channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(3, width, 8, 8), nn.ReLU(), nn.Conv2d(width, width, 3, 2, 1), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * width, CLASSES)),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, classes) of images (B, 3, H, W)."""
        logits: Tensor = self.layers(images)
        return logits


def transformer() -> nn.Module:
    """Return a small vision transformer of random weights."""
    kind = {"source": "timm", "type": "vit_tiny_patch16_224", "img_size": SIDE, "patch_size": 32}
    size = {"depth": 3, "embed_dim": 16, "num_heads": 2, "num_classes": CLASSES}
    return build_classifier({**kind, **size, "pretrained": False}).eval()


def explainer_of(network: nn.Module, method: str, usual: Tensor) -> Any:
    """Return what explains a network by a method with its own settings."""
    if method in OURS:
        preset = method if method == "instant" else "fast"
        return InputIBA(network, preset=preset, precision="fp32").fit(usual)
    if method == "amortised":
        return AmortisedIBA(network, precision="fp32").fit(usual[:4], epochs=1)
    layer = {"layer": "layers.2"} if method == "iba" else {}
    other = MethodAttributor(network, build(BASELINES, {"type": method, **layer}))
    other.estimate([usual])
    return other


def passes(network: nn.Module, method: str) -> tuple[int, int]:
    """Count the rows that leave a network's end, and the gradients that enter it, for one image.

    It is what a second image adds, without what a call costs however many images it has.
    """
    images = torch.randn(2, 3, SIDE, SIDE)
    explainer = explainer_of(network, method, torch.randn(24, 3, SIDE, SIDE))
    counted = Passes()
    counted.counting(network)
    counts = [(0, 0)]
    for count in (1, 1, 2):  # the first call looks at the network
        explainer.attribute(images[:count], [0] * count)
        counts.append((counted.forward, counted.backward))
    before, one, both = counts[1:]
    return (both[0] - 2 * one[0] + before[0], both[1] - 2 * one[1] + before[1])


def cost(method: str) -> tuple[str, str]:
    """Return the passes forward and backward of a method, for reading."""
    torch.manual_seed(0)
    try:
        narrow, wide = (passes(Convolutional(width).eval(), method) for width in (8, 16))
    except InputIBAError:  # it reads attention
        narrow = wide = passes(transformer(), method)
    return tuple(  # type: ignore[return-value]
        f"{few:,}" if few == many else "one a channel"
        for few, many in zip(narrow, wide, strict=True)
    )


def kinds(method: type[Method]) -> str:
    """Say what kinds of input a method explains."""
    if method.planar:
        return "images"
    return ", ".join(
        kind
        for kind, named in (("images", "images, signals, volumes"), ("texts", "texts"))
        for kind in ([named] if kind in method.explains else [])
    )


def needs(method: type[Method]) -> str:
    """Say what a method asks for beside the network."""
    asked = {"nothing": [], "background": ["usual inputs"], "statistics": ["usual inputs"]}
    found = [*asked[method.needs]]
    if method.__module__.endswith(".transformers"):
        found.append("attention")
    if method.name == "amortised":
        found.append("training, once")
    if method.uses_captum:
        found.append("captum")
    return ", ".join(found) or "–"


def facts() -> Iterator[list[str]]:
    """Yield the rows of the table of facts, the head first."""
    yield [
        "method",
        "what it shows",
        "explains",
        "forward",
        "backward",
        "gradients",
        "layer",
        "needs",
    ]
    for name in ("input_iba", "instant"):
        forward, backward = cost(name)
        everything = "images, signals, volumes, texts"
        yield [f"`{name}`", OURS[name], everything, forward, backward, "yes", "yes", "usual inputs"]
    for name, method in BASELINES.module_dict.items():
        forward, backward = cost(name)
        layer = {"layer", "layers"} & {field.name for field in fields(method)}
        shows = method.__doc__.splitlines()[0]
        gradients = "no" if backward == "0" else "yes"
        row = [f"`{name}`", shows, kinds(method), forward, backward, gradients]
        yield [*row, "yes" if layer else "no", needs(method)]


def results(heading: str) -> dict[str, Mapping[str, str]]:
    """Return the rows of the first table of ranks below a heading of BENCHMARK.md, by method."""
    text = RESULTS.read_text(encoding="utf-8")
    section = text[text.index(f"\n### {heading}") :]
    lines = [
        line.strip("| ").split(" | ") for line in re.findall(r"^\|.*\|$", section, re.MULTILINE)
    ]
    head, found = lines[0], dict[str, Mapping[str, str]]()
    for line in lines[2:]:
        if len(line) != len(head) or not line[0].startswith("`"):
            break
        found[line[0].split("`")[1]] = dict(zip(head[1:], line[1:], strict=True))
    return found


def standing() -> Iterator[list[str]]:
    """Yield the rows of the table of ranks, and of what each method is best at, the head first."""
    tables = {name: results(heading) for name, heading in TABLES.items()}
    yield ["method", *(f"{name}, of {len(rows)}" for name, rows in tables.items()), "best by"]
    for method in dict.fromkeys(name for rows in tables.values() for name in rows):
        ranks = [place(method, rows) for rows in tables.values()]
        best = [
            f"{name.lower()}: {', '.join(led)}"
            for name, rows in tables.items()
            if (led := leads(rows.get(method, {})))
        ]
        yield [f"`{method}`", *ranks, "; ".join(best) or "–"]


def place(method: str, rows: Mapping[str, Mapping[str, str]]) -> str:
    """Return a method's place by mean rank, '–' where it did not take part."""
    if method not in rows:
        return "–"
    ranks = {
        name: float(next(v for k, v in row.items() if k.startswith("mean rank")).strip("*"))
        for name, row in rows.items()
    }
    return str(1 + sum(rank < ranks[method] for rank in ranks.values()))


def leads(row: Mapping[str, str]) -> list[str]:
    """Return the measures by which a row of results is the best, as bold numbers say."""
    return [
        measure.strip(" ↑↓")
        for measure, value in row.items()
        if value.startswith("**") and not measure.startswith(COUNTED)
    ]


def table(rows: Iterator[list[str]]) -> str:
    """Return rows as Markdown, the first one as the head."""
    head, *others = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *others))


def main() -> None:
    """Put both tables in their places, between comments that name them."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    page = PAGE.read_text(encoding="utf-8")
    for name, rows in (("facts", facts()), ("standing", standing())):
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        _, end, behind = rest.partition("<!-- end -->")
        page = f"{before}{start}\n{table(rows)}\n\n{end}{behind}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
