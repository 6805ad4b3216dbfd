"""Mosaics of tiny pictures, a tiny checkpoint, and a map per mosaic, for evaluation commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from input_iba.cli.main import script
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.models import CifarResNet
from tests.tiny_runs import PIPELINE, tiny_config, write_config, write_images

CLASSES = 4
PLAIN = ("--device", "cpu")
ANY_PROBABILITY = ("--scores-threshold", "0")


def status(command: str, arguments: list[str]) -> int:
    """Return the exit status of a command, also where its parser refuses the arguments."""
    try:
        return script(command, arguments)
    except SystemExit as refused:
        return int(refused.code or 0)


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation needs: 4 mosaics of 32×32 pixels, one per class, and where they are."""

    root: Path
    config: Path
    maps: Path
    dataset: SampleDataset

    @property
    def ids(self) -> list[str]:
        return self.dataset.ids

    def write_map(self, id_: str, values: NDArray[np.floating[Any]]) -> None:
        np.savez(self.maps / f"{id_}.npz", mask=values.astype(np.float32))

    def arguments(self, name: str, *options: str) -> list[str]:
        work = str(self.root / "results")
        return [str(self.config), str(self.maps), work, name, *PLAIN, *options]

    def result(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "results" / f"{name}.json").read_text())
        return found

    def lines(self, name: str) -> list[str]:
        return (self.root / "results" / f"{name}.rows.jsonl").read_text().splitlines()

    def run(self, metric: str, name: str, *options: str) -> int:
        arguments = self.arguments(name, *ANY_PROBABILITY, *options)
        return status(f"evaluate {metric}", arguments)


def prepare(root: Path) -> Evaluated:
    """Write pictures, checkpoint, config and random maps; class 0 is nearly always predicted."""
    for label in range(CLASSES):
        for part, names in (("estimation", "ab"), ("attribution", [f"picture{label}"])):
            write_images(root / part / f"class{label}", names, seed=label)
    torch.manual_seed(0)
    net = CifarResNet(depth=8, num_classes=CLASSES)
    with torch.no_grad():
        net.linear.weight.mul_(0.2)
        net.linear.bias.copy_(torch.tensor([3.0, 0.0, 0.0, 0.0]))
    torch.save(net.state_dict(), root / "tiny.pth")
    config = tiny_config(root)
    config["attributor"]["classifier"] |= {
        "num_classes": CLASSES,
        "pretrained": str(root / "tiny.pth"),
    }
    cells = {"type": "Resize", "height": 16, "width": 16}
    config["data"]["attribution"] = {
        "type": "GridMosaic",
        "dataset": {**config["data"]["attribution"], "pipeline": [cells]},
        "pipeline": PIPELINE,
    }
    config["sanity_check"] = {"perturb_layers": ["linear", "layer3"], "check": "input_iba"}
    path = write_config(root / "tiny.py", config)
    dataset = build_dataset(config["data"]["attribution"])
    made = Evaluated(root, path, root / "maps", dataset)
    made.maps.mkdir()
    draws = np.random.default_rng(0)
    for id_ in dataset.ids:
        made.write_map(id_, draws.random((32, 32)))
    return made
