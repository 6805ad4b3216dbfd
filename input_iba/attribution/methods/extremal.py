"""Extremal perturbations: the smooth mask of a given area that keeps the score highest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.attribution.methods.base import ScoringMethod
from input_iba.attribution.methods.task import MethodTask
from input_iba.core.smoothing import gaussian_smooth
from input_iba.errors import ConfigError
from input_iba.registry import BASELINES
from input_iba.settings import setting


@BASELINES.register_module(name="ex_perturb")
@dataclass(frozen=True)
class ExtremalPerturbation(ScoringMethod):
    """Masks of several areas, each the best of its area, summed and smoothed.

    For every area a, max over m of f(m ⊗ x) − λ·‖vecsort(m) − r_a‖²/|Ω|, where ⊗ blurs what the
    mask leaves out and r_a holds (1 − a)·|Ω| zeros and then ones.

    References:
        Fong et al. 2019 (arXiv 1910.08485), sections 3.2 to 3.4 and 4.1.
    """

    name: ClassVar[str] = "ex_perturb"
    planar: ClassVar[bool] = True
    explains: ClassVar[frozenset[str]] = frozenset({"images"})
    uses_captum: ClassVar[bool] = False

    areas: tuple[float, ...] = setting(
        (0.025, 0.05, 0.1, 0.2), "shares of the input that masks may keep", above=0, below=1
    )
    n_steps: int = setting(
        50, "steps of gradient descent with momentum; the paper takes 800", at_least=1
    )
    lr: float = setting(0.08, "learning rate", above=0)
    start: float = setting(
        0.7,
        "value of all parameters at the beginning, in [0, 1]; below 1 the score can raise what it "
        "needs, at 1 that would stay tied, and ties are ordered by reading order",
    )
    momentum: float = setting(0.9, "of the descent")
    area_weight: float = setting(
        600.0,
        "weight of the area's term at the end; it grows from 0, so that the score decides which "
        "values are larger than others before their order counts",
        above=0,
    )
    cells: int = setting(14, "parameters of a mask per side", at_least=1)
    radius: float = setting(1.0, "reach of a parameter, in cells", above=0)
    every: int = setting(
        4, "the mask is computed for every so many pixels, and enlarged", at_least=1
    )
    blur: float = setting(
        0.09, "largest deviation of the blur, as a share of the input's shorter side", above=0
    )
    blur_steps: int = setting(8, "deviations between which the blur is interpolated", at_least=2)
    smoothing: float = setting(0.09, "deviation by which the sum is smoothed, likewise")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.areas:
            raise ConfigError("baseline.areas must hold at least one share, got ().")

    @property
    def rows_per_sample(self) -> int:
        """One for every area."""
        return len(self.areas)

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W)."""
        sigma = self.smoothing * min(task.inputs.shape[-2:])
        return gaussian_smooth(self.masks(task).sum(1), sigma)

    def masks(self, task: MethodTask) -> Tensor:
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
            score = scorer(blurred_by(masks, levels)).sum()
            loss = weight * area_losses(masks, wanted).sum() - score
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


TEMPERATURE = 1 / 20
"""T of the smooth maximum: between the mean (large) and the maximum (0)."""

BEYOND = 3
"""Cells that masks have beyond every border, so that pixels there have as many neighbours as
others. Without them the smooth maximum is greatest in the corners, and masks often end there."""


def smooth_max(values: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return Σ f·exp(f/T) / Σ exp(f/T) over the last dimension.

    References:
        Fong et al. 2019 (arXiv 1910.08485), section 3.3.

    >>> smooth_max(torch.tensor([0.0, 1.0]), 1e-3).item()
    1.0
    """
    return (values * (values / temperature).softmax(-1)).sum(-1)


@lru_cache(maxsize=16)
def influence(
    cells: int, height: int, width: int, radius: float, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Return how far every parameter reaches to every position, k(‖u − v‖/σ), in [0, 1].

    The kernel k(z) = exp(−max(0, z − 1)²/4) is flat up to σ and falls smoothly from there; σ is
    `radius`, in distances between two parameters. Of these there are `cells` per side, spread
    evenly over the map, and `BEYOND` more on every side lie outside.

    Returns:
        (height·width, (cells + 2·BEYOND)²).

    References:
        Fong et al. 2019 (arXiv 1910.08485), section 3.3.
    """
    # In cells: parameter i lies at i + ½, position j of n at (j + ½)·cells/n.
    centres = torch.arange(-BEYOND, cells + BEYOND, dtype=torch.float64) + 0.5
    down = (torch.arange(height, dtype=torch.float64) + 0.5) * cells / height
    across = (torch.arange(width, dtype=torch.float64) + 0.5) * cells / width
    rows = (down[:, None] - centres).square()[:, None, :, None]
    columns = (across[:, None] - centres).square()[None, :, None, :]
    z = (rows + columns).sqrt().reshape(height * width, len(centres) ** 2) / radius
    kernel = (-((z - 1).clamp_min(0).square() / 4)).exp()
    return kernel.to(device=device, dtype=dtype)


def smooth_masks(parameters: Tensor, height: int, width: int, radius: float, every: int) -> Tensor:
    """Enlarge coarse masks (n, s, s) by a smooth maximum of their parameters' reaches, (n, H, W).

    Parameters lie in [0, 1]; s is the number of cells per side + 2·BEYOND. The kernel's σ is
    `radius`, in cells. The maximum is computed `every` so many pixels and enlarged bilinearly.
    """
    rows, columns = -(-height // every), -(-width // every)
    cells = parameters.shape[-1] - 2 * BEYOND
    reach = influence(cells, rows, columns, radius, parameters.device, parameters.dtype)
    coarse = smooth_max(reach * parameters.flatten(1)[:, None]).reshape(-1, rows, columns)
    size = (height, width)
    if size == (rows, columns):
        return coarse
    return F.interpolate(coarse[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def blur_levels(inputs: Tensor, levels: int, largest: float) -> Tensor:
    """Blur inputs (S, C, H, W) by `levels` deviations, largest to none: (S, levels, C, H, W)."""
    steps = [largest * (1 - level / (levels - 1)) for level in range(levels)]
    return torch.stack([gaussian_smooth(inputs, sigma) for sigma in steps], 1)


def blurred_by(masks: Tensor, levels: Tensor) -> Tensor:
    """Blur every pixel the more, the less its mask (n, H, W) lets through: 1 keeps, 0 blurs most.

    `levels` are what `blur_levels` returns, one per mask, (n, L, C, H, W). Returns (n, C, H, W),
    linear between neighbouring levels.
    """
    last = levels.shape[1] - 1
    position = masks * last
    below = position.detach().floor().clamp(max=last - 1)
    index = below.long()[:, None, None].expand(-1, 1, levels.shape[2], -1, -1)
    low, high = levels.gather(1, index)[:, 0], levels.gather(1, index + 1)[:, 0]
    return low + (position - below)[:, None] * (high - low)
