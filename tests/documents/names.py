"""What the Python blocks of a document take for granted: small networks, and inputs for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

import input_iba
from docs.site.learnt import Detector
from input_iba.models import CifarResNet
from tests.documents.stand_ins import SIDE
from tests.models.transformers_families import FAMILIES


def _evaluation() -> dict[str, Any]:
    network = CifarResNet(depth=8, num_classes=300).eval()
    words = nn.Sequential(nn.Embedding(20, 6, padding_idx=1), _Mean(), nn.Linear(6, 2)).eval()
    return {
        "network": network,
        "images": torch.randn(1, 3, SIDE, SIDE),
        "classifier": words,
        "heat": torch.rand(5),
        "token_ids": torch.tensor([3, 4, 5, 6, 7]),
        "special_ids": [0],
        "target": 1,
    }


def _readme() -> dict[str, Any]:
    images = torch.randn(40, 3, SIDE, SIDE)
    loader = [(images[:20], torch.zeros(20)), (images[20:], torch.zeros(20))]
    model = CifarResNet(depth=8, num_classes=300).eval()
    return {"model": model, "x": images[:2], "loader": loader}


def _scans() -> dict[str, Any]:
    network = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten()),
        nn.Linear(64, 2),
    )
    loader = [torch.randn(20, 1, SIDE, SIDE) for _ in range(2)]
    return {"network": network.eval(), "loader": loader, "scan": torch.randn(1, SIDE, SIDE)}


def _detector() -> dict[str, Any]:
    return {"detector": Detector().eval(), "image": torch.randn(3, SIDE, SIDE)}


def _vit() -> dict[str, Any]:
    vit, _ = FAMILIES["vit"]()
    return {"vit": vit.eval(), "images": torch.randn(2, 3, SIDE, SIDE)}


def _cats() -> dict[str, Any]:
    names = ["tabby", "Egyptian cat", *map(str, range(298))]
    readme = _readme()
    return {**readme, "x": readme["x"][:1], "names": names, "input_iba": input_iba}


class _Mean(nn.Module):
    def forward(self, embedded: Tensor) -> Tensor:
        """Return the mean over tokens (B, E) of embeddings (B, T, E)."""
        return embedded.mean(1)


NAMES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "README.md": _readme,
    "docs/index.md": _readme,
    "docs/start.md": _readme,
    "docs/how-to/detector.md": _detector,
    "docs/how-to/grey_scale.md": _scans,
    "docs/how-to/is_it_right.md": _cats,
    "docs/how-to/two_classes.md": _cats,
    "docs/how-to/vit.md": _vit,
    "tutorials/evaluation.md": _evaluation,
}
"""By document: makes the names that its Python blocks take for granted."""
