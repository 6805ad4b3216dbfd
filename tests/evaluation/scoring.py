"""What a scorer is given: a small classifier, a sample with its map, and methods that explain."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.fitting import FittingRows
from input_iba.evaluation.base import EvaluationContext, ScoredSample
from input_iba.records import ImageSample
from tests.evaluation.nets import network

SIZE = (12, 14)
TARGET = 1
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Found:
    """What the methods below find about a sample."""

    map: Tensor
    peak: float


@dataclass
class Features:
    """A method whose map is the first layer's output; the seed adds a pattern of its own."""

    model: nn.Module
    varied: bool = True
    seeds: list[int] = field(default_factory=list)
    estimates: int = 0
    statistics: Any = None

    def estimate(self, batches: Iterable[Tensor], n_samples: int) -> object:
        self.estimates += 1
        return n_samples

    @torch.no_grad()
    def attribute(
        self, inputs: Tensor, targets: Any = None, *, ids: Any = None, seed: int = 0, **_: Any
    ) -> Sequence[Any]:
        self.seeds.append(seed)
        layer = self.model.get_submodule("0")
        found = layer(inputs.double()).abs().sum(1)
        draws = torch.rand(found.shape, generator=torch.Generator().manual_seed(seed)).double()
        return [Found(one, 2.0) for one in (found + draws) * (1.0 if self.varied else 0.0)]


def image_case(id_: str = "a", target: int = TARGET) -> ScoredSample:
    """Return a sample with a map, both drawn by its id."""
    draws = torch.Generator().manual_seed(zlib.crc32(id_.encode()))
    x = torch.randn(2, *SIZE, generator=draws, dtype=torch.float64)
    heat = torch.rand(SIZE, generator=draws, dtype=torch.float64)
    image = torch.zeros(3, *SIZE, dtype=torch.uint8)
    return ScoredSample(ImageSample(id_, x, target, image=image), target, 0.5, heat)


def context_of(model: nn.Module | None = None, **changes: Any) -> EvaluationContext:
    """Return what scorers share, with `Features` of the model as every method."""
    model = network(SIZE) if model is None else model
    method = Features(model)
    shared: dict[str, Any] = {
        **{"use_softmax": True, "section": {}, "config_path": Path("c.py"), "classifier": model},
        **{"classify": torch.no_grad()(model), "device": CPU, "autocast": None, "seed": 3},
        **{"make_explainer": lambda: method, "make_method": lambda name: method},
        **{"estimation_inputs": lambda n: (iter([]), n), "ids": ["a", "b"]},
        **{"beside": Path("result"), "fitting": FittingRows(None, CPU), "fingerprints": {}},
    }
    return EvaluationContext(**{**shared, **changes})
