"""Gradients summed along many ways to the input: from other inputs, through noise, out of blur."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from input_iba.attribution.methods.base import Needs
from input_iba.attribution.methods.gradients import GradientMethod
from input_iba.attribution.methods.task import MethodTask
from input_iba.core.smoothing import gaussian_smooth
from input_iba.registry import BASELINES
from input_iba.settings import setting


@dataclass(frozen=True)
class PathMethod(GradientMethod):
    """Settings of methods that sum gradients times steps over points of their own."""

    signed: ClassVar[bool] = True
    explains: ClassVar[frozenset[str]] = frozenset({"images"})
    one_by_one: ClassVar[bool] = True
    uses_captum: ClassVar[bool] = False

    def maps(self, task: MethodTask) -> Tensor:
        """Return the map of one sample, (1, H, W)."""
        scorer, total = task.scorer(self.score), torch.zeros_like(task.inputs)
        for points, steps in self.path(task):
            parts = (torch.split(values, task.internal_batch_size) for values in (points, steps))
            for some, ways in zip(*parts, strict=True):
                leaf = some.detach().requires_grad_()
                [gradients] = torch.autograd.grad(scorer(leaf).sum(), leaf)
                total += (gradients * ways).sum(0)
        return self.reduced(task, total)

    @abstractmethod
    def path(self, task: MethodTask) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield points and the steps there, (n, C, H, W) each, of one sample."""


@BASELINES.register_module(name="expected_gradients")
@dataclass(frozen=True)
class ExpectedGradients(PathMethod):
    """Gradients on the lines from inputs of the estimation set, at a point of each.

    The mean of (x − x′) ∂f(x′ + α(x − x′)) over inputs x′ and α from U(0, 1). A map adds up to
    the score less the mean score of these inputs, but for what the drawing leaves. All is drawn at
    once, unlike captum's GradientShap, so that it does not depend on the batch.

    References:
        Erion et al. 2021 (arXiv 1906.10670), equation 3.
    """

    name: ClassVar[str] = "expected_gradients"
    needs: ClassVar[Needs] = "background"
    counted_by: ClassVar[str] = "n_samples"

    n_samples: int = setting(200, "points, each on the line from an input drawn anew", at_least=1)
    n_background: int = setting(100, "inputs of the estimation set that are drawn from", at_least=1)

    def path(self, task: MethodTask) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield points between the sample and drawn inputs, and the shares of the ways there."""
        background, noise = task.references(self.name), task.noise(self.name)
        [drawn] = noise.uniform(0, len(background), self.n_samples)
        [along] = noise.uniform(0, 1, self.n_samples)
        which = drawn.long().clamp(max=len(background) - 1)  # rounding may reach the end
        size = task.internal_batch_size
        for rows, share in zip(torch.split(which, size), torch.split(along, size), strict=True):
            start = background[rows]
            way = task.inputs - start
            yield start + share.view(-1, *[1] * (way.ndim - 1)) * way, way / self.n_samples


@BASELINES.register_module(name="blur_int_grad")
@dataclass(frozen=True)
class BlurIntegratedGradients(PathMethod):
    """Integrated gradients along the way out of blur, on which nothing is blank.

    A map adds up to the score less that of the blurred input, but for the finite steps.

    References:
        Xu et al. 2020 (arXiv 2004.03383), equations 5 to 7, with the deviation in equal steps.
    """

    name: ClassVar[str] = "blur_int_grad"
    counted_by: ClassVar[str] = "n_steps"

    n_steps: int = setting(50, "points on the way", at_least=1)
    blur: float = setting(
        1 / 6,
        "deviation of the blur at the start, as a share of the input's shorter side; the paper "
        "takes 50 of 299 pixels",
        above=0,
    )

    def path(self, task: MethodTask) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the input at the middle of every step of the blur, and what the step changes."""
        largest, halves = self.blur * min(task.inputs.shape[2:]), 2 * self.n_steps
        shares = (1 - place / halves for place in range(halves + 1))
        levels = torch.cat([blurred(task.inputs, largest * share) for share in shares])
        yield levels[1::2], levels[::2].diff(dim=0)


def blurred(inputs: Tensor, sigma: float) -> Tensor:
    """Blur inputs (n, C, H, W) by a Gaussian that reaches four deviations."""
    return gaussian_smooth(inputs, sigma, max(1, round(4 * sigma)), dims=inputs.ndim - 2)
