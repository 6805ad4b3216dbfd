"""Methods that blank parts of the input: one after the other, or many at random."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.attribution.methods.base import ScoringMethod, captum_attr
from input_iba.attribution.methods.task import MethodTask
from input_iba.errors import ConfigError
from input_iba.registry import BASELINES
from input_iba.settings import setting


@BASELINES.register_module(name="occlusion")
@dataclass(frozen=True)
class Occlusion(ScoringMethod):
    """The mean loss of score over all squares that cover a pixel; of texts, token by token.

    References:
        Zeiler and Fergus 2014 (arXiv 1311.2901), section 4.2.
    """

    name: ClassVar[str] = "occlusion"
    signed: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = True

    score: str = "probability"
    window: float = setting(
        1 / 7,
        "side of the square, as a share of the input's shorter side; of texts it is one token",
    )
    stride: float = setting(1 / 14, "distance of two squares, likewise, at most window")
    fill: float = setting(0.0, "value of the square, normalised; 0 is the data's mean colour")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.stride <= self.window <= 1:
            raise ConfigError(
                f"Baseline 'occlusion' needs 0 < stride ≤ window ≤ 1, shares of the input's side; "
                f"got stride {self.stride!r} and window {self.window!r}."
            )

    @property
    def rows_per_sample(self) -> int:
        """All squares of a square input."""
        return round((1 - self.window) / self.stride + 1) ** 2

    def maps(self, task: MethodTask) -> Tensor:
        """Return the map of one sample, (1, H, W) or (1, T)."""
        method = captum_attr().Occlusion(task.scorer(self.score))
        window, stride = task.modality.window(task.inputs, self.window, self.stride)
        values: Tensor = method.attribute(
            task.inputs,
            sliding_window_shapes=window,
            strides=stride,
            baselines=self.fill,
            perturbations_per_eval=task.internal_batch_size,
        )
        # What is blank covers all channels, so they are equal.
        return values.select(task.modality.channels, 0)


@BASELINES.register_module(name="rise")
@dataclass(frozen=True)
class Rise(ScoringMethod):
    """Random coarse masks, enlarged and shifted; S = Σ f(x ⊙ Mᵢ) Mᵢ / (N·E[M]).

    References:
        Petsiuk et al. 2018 (arXiv 1806.07421), equation 6 and section 3.2.
    """

    name: ClassVar[str] = "rise"
    planar: ClassVar[bool] = True
    explains: ClassVar[frozenset[str]] = frozenset({"images"})
    uses_captum: ClassVar[bool] = False
    one_by_one: ClassVar[bool] = True
    counted_by: ClassVar[str] = "n_masks"

    score: str = "probability"
    n_masks: int = setting(
        1000, "number of masks; the paper takes 4,000 for VGG16 and 8,000 for ResNet-50", at_least=1
    )
    cells: int = setting(7, "cells of a coarse mask per side", at_least=1)
    keep: float = setting(0.5, "share of the cells that are kept", above=0, below=1)

    @torch.no_grad()
    def maps(self, task: MethodTask) -> Tensor:
        """Return the map of one sample, (1, H, W)."""
        noise, scorer = task.noise(self.name), task.scorer(self.score)
        height, width = task.inputs.shape[-2:]
        drawn = noise.uniform(0, 1, self.n_masks, self.cells, self.cells)[0]
        kept = (drawn < self.keep).to(task.inputs)
        shifts = noise.uniform(0, 1, self.n_masks, 2)[0]
        total = torch.zeros_like(task.inputs[0, 0])
        for start in range(0, self.n_masks, task.internal_batch_size):
            part = slice(start, start + task.internal_batch_size)
            masks = enlarged_masks(kept[part], shifts[part], height, width)
            scores = scorer(task.inputs * masks[:, None])
            total += torch.einsum("n,nhw->hw", scores, masks)
        return total[None] / (self.n_masks * self.keep)


def enlarged_masks(kept: Tensor, shifts: Tensor, height: int, width: int) -> Tensor:
    """Enlarge coarse masks by one cell more than the input bilinearly, and crop them to (n, H, W).

    `kept` (n, s, s) is 1 where kept; `shifts` (n, 2) in [0, 1) say how far the crops lie down and
    right, in cells.
    """
    rows = _cropped_lines(kept.shape[-1], height, shifts[:, 0])
    columns = _cropped_lines(kept.shape[-1], width, shifts[:, 1])
    return rows @ kept @ columns.mT


def _cropped_lines(cells: int, size: int, shift: Tensor) -> Tensor:
    """Return the bilinear weights of every pixel of the crops, (n, size, cells)."""
    cell = math.ceil(size / cells)
    # Bilinear enlargement of a line is linear in its values: that of the unit vectors says all.
    unit = torch.eye(cells, device=shift.device, dtype=shift.dtype)[:, None]
    longer = (cells + 1) * cell
    lines = F.interpolate(unit, longer, mode="linear", align_corners=False)[:, 0].T
    first = (shift * (cell + 1)).long().clamp(max=cell)
    return lines[first[:, None] + torch.arange(size, device=shift.device)]
