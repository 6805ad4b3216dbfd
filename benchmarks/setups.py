"""What is timed: classifiers, images and parameters, by name or from a config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.attribution import Attributor
from input_iba.config.build import build_attributor
from input_iba.config.load import RunConfig, load_config
from input_iba.datasets import build_dataset
from input_iba.models import build_classifier

RANDOM = {"attributor.classifier.pretrained": False}
"""Weights drawn at random cost as much as trained ones."""


@dataclass(frozen=True)
class Case:
    """A named case: its config, image size, samples, and ways to run that fit in minutes."""

    config: str
    overrides: Mapping[str, Any]
    side: int
    samples: int
    ways: tuple[str, ...]


CASES = {
    "vgg16": Case("configs/vgg_imagenet.py", RANDOM, 224, 1, ("published", "fast")),
    "efficientnet_lite0": Case(
        *("configs/efficientnet_lite0_imagenet.py", {}, 224, 1), ("published", "paper", "fast")
    ),
    "resnet8": Case(
        *("configs/cifar10/resnet_cifar10_test.py", RANDOM, 32, 64),
        ("published", "fast, one at a time", "fast", "fast, passes alone"),
    ),
}


@dataclass(frozen=True)
class Setup:
    """Classifier, layer, images (S, C, H, W), estimation images, and configs by preset."""

    name: str
    model: nn.Module
    layer: str
    images: Tensor
    estimation: Tensor
    configs: Mapping[str, RunConfig]
    device: torch.device

    def attributor(self, preset: str, autocast: torch.dtype | None) -> Attributor:
        """Build the package's pipeline with the parameters of a preset."""
        found = build_attributor(self.configs[preset], self.model, self.device, autocast)
        assert isinstance(found, Attributor)
        return found


def from_name(name: str, samples: int | None, device: torch.device) -> Setup:
    """Take crops of scikit-image's cat; the first one of the middle is explained alone."""
    case = CASES[name]
    configs = {p: load_config(case.config, case.overrides, p) for p in ("paper", "fast")}
    torch.manual_seed(0)
    crops = crops_of_a_cat(case.side, (samples or case.samples) + 16)
    return on_device(name, configs, crops[16:], crops[:16], device)


def from_config(path: Path, samples: int | None, device: torch.device) -> Setup:
    """Explain the first samples of a config; its first estimation samples give statistics."""
    configs = {preset: load_config(path, preset=preset) for preset in ("paper", "fast")}
    config = configs["fast"]
    estimation, attribution = map(build_dataset, (config.estimation_data, config.attribution_data))
    images, crops = (
        torch.stack([data[i].input for i in range(min(count, len(data)))])
        for data, count in ((attribution, samples or 1), (estimation, 16))
    )
    return on_device(path.stem, configs, images, crops, device)


def on_device(
    name: str,
    configs: Mapping[str, RunConfig],
    images: Tensor,
    estimation: Tensor,
    device: torch.device,
) -> Setup:
    """Put a setup where it is timed."""
    config = configs["paper"]
    model = build_classifier(config.classifier).to(device).eval()
    return Setup(
        *(name, model, config.layer, images.to(device), estimation.to(device)), *(configs, device)
    )


def crops_of_a_cat(side: int, count: int) -> Tensor:
    """Cut squares out of scikit-image's cat, (count, 3, side, side), from −1 to 1."""
    from skimage import data

    cat = data.chelsea()  # type: ignore[no-untyped-call]
    picture = torch.from_numpy(cat).permute(2, 0, 1).float() / 127.5 - 1
    height, width = picture.shape[1:]
    size = min(height, width, max(side, 224))
    tops = torch.randint(0, height - size + 1, (count,)).tolist()
    lefts = torch.randint(0, width - size + 1, (count,)).tolist()
    crops = [picture[:, t : t + size, s : s + size] for t, s in zip(tops, lefts, strict=True)]
    return F.interpolate(torch.stack(crops), (side, side), mode="area")
