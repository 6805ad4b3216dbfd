"""A process of the benchmark of many samples: explains or scores them by a tiny network."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from input_iba.attribution.attributor import Attributor
from input_iba.cli.main import main as command
from input_iba.commands.explain.loop import SampleLoop
from input_iba.core.classifier import Classifier
from input_iba.core.suffix import ResumedClassifier
from input_iba.core.tap import TappedClassifier
from input_iba.registry import CLASSIFIERS

AT_ONCE = 128


@CLASSIFIERS.register_module(force=True)  # as a script it is imported by another name, too
class BlobNet(nn.Module):
    """Two convolutions and a mean: as small as a network with a layer to look at can be."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU())
        self.head = nn.Linear(16, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, classes) of images (B, 3, H, W)."""
        features: Tensor = self.second(self.first(images)).mean((2, 3))
        found: Tensor = 20 * self.head(features)
        return found


NETWORKS = {
    "blob": {"source": "custom", "type": "BlobNet"},
    "resnet8": {"source": "custom", "type": "ResNet", "depth": 8, "num_classes": 10},
}
LAYERS = {"blob": "first", "resnet8": "layer1"}


def config_text(root: Path, network: str = "blob") -> str:
    """Return a config that explains the images below a folder."""
    pipeline = [{"type": "Normalize"}, {"type": "ToTensorV2"}]
    data = {"type": "ImageFolder", "pipeline": pipeline, "valid_formats": ("png",)}
    sections = {
        "data": {
            "data_loader": {"batch_size": AT_ONCE, "shuffle": True, "num_workers": 0},
            **{
                part: {**data, "img_root": str(root / part)}
                for part in ("estimation", "attribution")
            },
        },
        "attributor": {
            "type": "VisionAttributor",
            "layer": LAYERS[network],
            "classifier": NETWORKS[network],
        },
        "estimation_cfg": {"n_samples": 64},
    }
    return "".join(f"{name} = {value!r}\n" for name, value in sections.items())


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Time passes through classifiers, all that explainers do, and the loop around them.

    Yields:
        Seconds: `passes` are calls of the classifier and of autograd, `explaining` is the method
        with them, `loop` also reads, saves and records.
    """
    seconds = dict.fromkeys(("passes", "explaining", "loop"), 0.0)
    running = set[str]()

    def clocked(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if kind in running:
                return function(*args, **kwargs)
            running.add(kind)
            begun = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                seconds[kind] += time.perf_counter() - begun
                running.discard(kind)

        return call

    places = [
        ("passes", Classifier, ("returned",)),
        ("passes", TappedClassifier, ("features", "logits_with")),
        ("passes", ResumedClassifier, ("logits",)),
        ("passes", Tensor, ("backward",)),
        ("passes", torch.autograd, ("grad",)),
        ("explaining", Attributor, ("attribute",)),
        ("loop", SampleLoop, ("explain",)),
    ]
    with ExitStack() as stack:
        for kind, owner, names in places:
            for name in names:
                stack.enter_context(patch.object(owner, name, clocked(kind, getattr(owner, name))))
        yield seconds


def main(argv: list[str]) -> int:
    """Run a command as from the command line, once the network is known."""
    torch.set_num_threads(1)
    if argv[0] == "evaluate":
        few_steps = ["--pixel-batch-size", "256", "--device", "cpu", "--scores-threshold", "0"]
        return command([*argv, *few_steps])
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--store", default="folder")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--network", default="blob", choices=NETWORKS)
    parser.add_argument("--preset", default="instant")
    parser.add_argument("--num-samples", default="0")
    arguments = parser.parse_args(argv)
    root = arguments.root
    config = root / f"{arguments.network}.py"
    config.write_text(config_text(root, arguments.network))
    own = "" if arguments.network == "blob" else f"_{arguments.network}_{arguments.preset}"
    options = ["--work-dir", str(root / f"work{own}"), "--store", arguments.store]
    options += ["--preset", arguments.preset, "--num-samples", arguments.num_samples]
    options += ["--device", "cpu", "--precision", "fp32", *["--resume"] * arguments.resume]
    with timed() as seconds:
        status = command(["attribute", str(config), *options])
    (root / "seconds.json").write_text(json.dumps(seconds))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
