"""How new inputs are explained, and what is found about each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")


@dataclass(frozen=True)
class ExplainVibiOptions:
    """How to explain.

    Attributes:
        checkpoint: `best.pth` or `last.pth` of a run.
        out: Folder of what is written.
        black_box: File with the black box's weights; None for the one that training named.
        device: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.
        gpu_id: Index of the GPU, as older commands give it.
        precision: 'auto', 'fp32' or 'bf16'.
    """

    checkpoint: Path
    out: Path
    black_box: Path | None = None
    device: str = "auto"
    gpu_id: int | None = None
    precision: str = "auto"


@dataclass(frozen=True)
class ChunkExplanation:
    """What was found about one input.

    Attributes:
        id: Name of its files, without extension.
        milliseconds: From the input in memory to its map: explainer, top-k, one value per pixel.
        black_box: Class and probability that the black box gives the whole input.
        approximator: Class and probability that the approximator gives the chosen chunks.
        rationale: Class and probability that the black box gives the chosen chunks.
        files: What was written.
    """

    id: str
    milliseconds: float
    black_box: tuple[str, float]
    approximator: tuple[str, float]
    rationale: tuple[str, float]
    files: tuple[Path, ...]


def timed(work: Callable[[], Result], device: torch.device) -> tuple[Result, float]:
    """Return what some work returns, and its milliseconds."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return result, 1000 * (time.perf_counter() - began)


def likeliest(probabilities: Tensor, class_names: Sequence[str]) -> tuple[str, float]:
    """Return the likeliest class and its probability."""
    index = int(probabilities.argmax())
    return class_names[index], float(probabilities[index])
