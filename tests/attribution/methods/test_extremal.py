"""Extremal perturbations against a slow, literal re-implementation."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from input_iba.attribution.methods import ExtremalPerturbation, MethodAttributor
from input_iba.attribution.methods.extremal import (
    BEYOND,
    area_losses,
    area_references,
    smooth_masks,
)
from input_iba.core.smoothing import gaussian_smooth
from input_iba.errors import ConfigError
from input_iba.records import Explanation
from tests.attribution.methods.settings import samples
from tests.attribution.nets import small_net

SIDE = 8
T = 1 / 20


def literal_mask(parameters: Tensor, radius: float) -> Tensor:
    """Smooth maximum, pixel by pixel and parameter by parameter."""
    beyond = 3
    cells = len(parameters) - 2 * beyond
    rows = []
    for i in range(SIDE):
        for j in range(SIDE):
            values = []
            for a in range(-beyond, cells + beyond):
                for b in range(-beyond, cells + beyond):
                    y, x = (i + 0.5) * cells / SIDE, (j + 0.5) * cells / SIDE
                    z = math.hypot(y - a - 0.5, x - b - 0.5) / radius
                    values.append(
                        math.exp(-(max(0.0, z - 1) ** 2) / 4) * parameters[a + beyond, b + beyond]
                    )
            top = sum(v * torch.exp(v / T) for v in values)
            rows.append(top / sum(torch.exp(v / T) for v in values))
    return torch.stack(rows).reshape(SIDE, SIDE)  # type: ignore[arg-type]


def literal_blur(x: Tensor, mask: Tensor, steps: int, largest: float) -> Tensor:
    """Interpolate between the two blurred pictures nearest to every pixel's mask."""
    levels = [gaussian_smooth(x, largest * (1 - n / (steps - 1))) for n in range(steps)]
    out = torch.zeros_like(x)
    for i in range(SIDE):
        for j in range(SIDE):
            position = mask[i, j] * (steps - 1)
            low = min(int(position), steps - 2)
            part = position - low
            out[:, i, j] = (1 - part) * levels[low][:, i, j] + part * levels[low + 1][:, i, j]
    return out


def literal(x: Tensor, label: int, area: float, method: ExtremalPerturbation) -> Tensor:
    """Return the best mask of one area for one sample (C, H, W)."""
    net = small_net().eval()
    parameters = torch.full((method.cells + 6,) * 2, method.start, dtype=x.dtype)
    velocity = torch.zeros_like(parameters)
    ones = max(1, round(area * SIDE * SIDE))
    for step in range(method.n_steps):
        weight = method.area_weight * step / method.n_steps
        parameters.requires_grad_()
        mask = literal_mask(parameters, method.radius)
        ordered = sorted(mask.flatten())
        misses = [(v - float(n >= SIDE * SIDE - ones)) ** 2 for n, v in enumerate(ordered)]
        blurred = literal_blur(x, mask, method.blur_steps, method.blur * SIDE)
        loss = weight * sum(misses) / SIDE**2 - net(blurred[None])[0, label]
        [gradient] = torch.autograd.grad(loss, parameters)
        velocity = method.momentum * velocity + (1 - method.momentum) * gradient
        parameters = (parameters.detach() - method.lr * velocity).clamp(0, 1)
    return literal_mask(parameters, method.radius)


@pytest.mark.slow
def test_extremal_perturbation_is_the_literal_one() -> None:
    x = samples(2)
    # Begun away from 1, at which values that are cut tie: their order is then up to rounding.
    method = ExtremalPerturbation(
        *("logit", (0.1, 0.3)),
        n_steps=5,
        lr=0.02,
        start=0.6,
        cells=3,
        every=1,
        blur=0.2,
        blur_steps=3,
        smoothing=0.1,
    )
    found = MethodAttributor(small_net(), method).attribute(x, [0, 2])
    for record, given, label in zip(found, x, [0, 2], strict=True):
        assert isinstance(record, Explanation)
        expected = sum(literal(given, label, area, method) for area in method.areas)
        assert isinstance(expected, Tensor)
        expected = gaussian_smooth(expected, 0.1 * SIDE)
        torch.testing.assert_close(
            record.input_mask * record.peak, expected.detach(), rtol=1e-6, atol=1e-8
        )


def test_the_area_loss_of_the_wanted_mask_is_zero() -> None:
    wanted = area_references((0.25, 0.5), 16)
    exact = torch.zeros(2, 4, 4)
    exact[0, 1] = 1
    exact[1, :2] = 1
    assert area_losses(exact, wanted).tolist() == [0, 0]
    assert area_losses(exact.flip(0), wanted).tolist() == [0.25, 0.25]


def test_a_mask_prefers_no_place_before_it_has_seen_the_classifier() -> None:
    mask = smooth_masks(torch.ones(1, 14 + 2 * BEYOND, 14 + 2 * BEYOND), 56, 56, 1.0, 4)
    assert mask.max() - mask.min() < 1e-5


def test_a_mask_keeps_its_area() -> None:
    method = ExtremalPerturbation(areas=(0.1, 0.4), cells=6, every=1, radius=0.6, n_steps=150)
    x = samples(1, side=16)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(512, 2)).double()
    made = MethodAttributor(net, method)
    areas: list[Tensor] = []
    original = ExtremalPerturbation.masks

    def keep(self: ExtremalPerturbation, task: object) -> Tensor:
        areas.append(original(self, task).mean((2, 3))[0])  # type: ignore[arg-type]
        return original(self, task)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExtremalPerturbation, "masks", keep)
        made.attribute(x, [0])
    assert areas[0].tolist() == pytest.approx([0.1, 0.4], abs=0.06)


@pytest.mark.parametrize(
    "settings", [{"areas": ()}, {"areas": (0.5, 1.0)}, {"blur_steps": 1}, {"n_steps": 0}]
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        ExtremalPerturbation(**settings)  # type: ignore[arg-type]
