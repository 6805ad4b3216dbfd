"""Extremal perturbations: the smooth mask of a given area that keeps the score highest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from input_iba.attribution.methods.base import Baseline
from input_iba.attribution.methods.smooth_masks import (
    BEYOND,
    blur_levels,
    blurred_by,
    smooth_masks,
)
from input_iba.attribution.methods.task import BaselineTask
from input_iba.core.smoothing import gaussian_smooth
from input_iba.errors import ConfigError, check_positive
from input_iba.registry import BASELINES


@BASELINES.register_module(name="ex_perturb")
@dataclass(frozen=True)
class ExtremalPerturbation(Baseline):
    """Masks of several areas, each the best of its area, summed and smoothed.

    For every area a, max over m of f(m ⊗ x) − λ·‖vecsort(m) − r_a‖²/|Ω|, where ⊗ blurs what the
    mask leaves out and r_a holds (1 − a)·|Ω| zeros and then ones.

    Attributes:
        score: What is explained; see `target_scores`.
        areas: Shares of the input that masks may keep.
        n_steps: Steps of gradient descent with momentum. The paper takes 800.
        lr: Learning rate.
        start: Value of all parameters at the beginning, in [0, 1]. Below 1 the score can
            raise what it needs; at 1 that would stay tied, and ties are ordered by reading order.
        momentum: Of the descent.
        area_weight: λ at the end. It grows from 0, so that the score decides which values are
            larger than others before their order counts.
        cells: Parameters of a mask per side.
        radius: Reach of a parameter, in cells.
        every: The mask is computed for every so many pixels, and enlarged.
        blur: Largest deviation of the blur, as a share of the input's shorter side.
        blur_steps: Deviations between which the blur is interpolated.
        smoothing: Deviation by which the sum is smoothed, likewise.

    References:
        Fong et al. 2019 (arXiv 1910.08485), sections 3.2 to 3.4 and 4.1.
    """

    name: ClassVar[str] = "ex_perturb"
    explains_text: ClassVar[bool] = False
    uses_captum: ClassVar[bool] = False

    score: str = "logit"
    areas: tuple[float, ...] = (0.025, 0.05, 0.1, 0.2)
    n_steps: int = 50
    lr: float = 0.08
    start: float = 0.7
    momentum: float = 0.9
    area_weight: float = 600.0
    cells: int = 14
    radius: float = 1.0
    every: int = 4
    blur: float = 0.09
    blur_steps: int = 8
    smoothing: float = 0.09

    def __post_init__(self) -> None:
        super().__post_init__()
        counts = ("lr", "area_weight", "cells", "radius", "every", "blur")
        check_positive("baseline 'ex_perturb'", self, *counts)
        if not self.areas or not all(0 < area < 1 for area in self.areas):
            raise ConfigError(
                f"'areas' of baseline 'ex_perturb' are shares in (0, 1), got {self.areas!r}."
            )
        if self.blur_steps < 2:
            raise ConfigError(
                f"'blur_steps' of baseline 'ex_perturb' must be at least 2, got {self.blur_steps}."
            )

    @property
    def rows_per_sample(self) -> int:
        """One for every area."""
        return len(self.areas)

    def maps(self, task: BaselineTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W)."""
        masks = self.masks(task)
        sigma = self.smoothing * min(task.inputs.shape[-2:])
        return gaussian_smooth(masks.sum(1), sigma)

    def masks(self, task: BaselineTask) -> Tensor:
        """Return the best masks of every area, (s, areas, H, W)."""
        samples, areas = len(task.ids), len(self.areas)
        height, width = task.inputs.shape[-2:]
        scorer = task.scorer(self.score)
        levels = blur_levels(task.inputs, self.blur_steps, self.blur * min(height, width))
        levels = levels.repeat_interleave(areas, 0)
        wanted = area_references(self.areas, height * width).to(task.inputs).repeat(samples, 1)
        side = self.cells + 2 * BEYOND
        parameters = task.inputs.new_full((samples * areas, side, side), self.start)
        velocity = torch.zeros_like(parameters)
        for step in range(self.n_steps):
            weight = self.area_weight * step / self.n_steps
            parameters.requires_grad_()
            masks = smooth_masks(parameters, height, width, self.radius, self.every)
            # Summed over rows: every mask takes the path that it would take alone.
            loss = (
                weight * area_losses(masks, wanted).sum() - scorer(blurred_by(masks, levels)).sum()
            )
            [gradient] = torch.autograd.grad(loss, parameters)
            velocity = self.momentum * velocity + (1 - self.momentum) * gradient
            parameters = (parameters.detach() - self.lr * velocity).clamp(0, 1)
        with torch.no_grad():
            masks = smooth_masks(parameters, height, width, self.radius, self.every)
        return masks.reshape(samples, areas, height, width)


def area_references(areas: tuple[float, ...], size: int) -> Tensor:
    """Return what the sorted values of a mask of each area are to be, (areas, size).

    >>> area_references((0.25, 0.5), 4).tolist()
    [[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]]
    """
    ones = torch.tensor([max(1, round(area * size)) for area in areas])
    return (torch.arange(size) >= size - ones[:, None]).to(torch.get_default_dtype())


def area_losses(masks: Tensor, wanted: Tensor) -> Tensor:
    """Return ‖vecsort(m) − r‖²/|Ω| of masks (n, H, W) and references (n, H·W), (n,).

    References:
        Fong et al. 2019 (arXiv 1910.08485), equation 3.
    """
    return (masks.flatten(1).sort(dim=1, stable=True).values - wanted).square().mean(1)
