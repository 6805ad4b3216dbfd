"""Methods that follow the gradient of the score to the input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from input_iba.attribution.methods.base import ScoringMethod, captum_attr
from input_iba.attribution.methods.task import MethodTask
from input_iba.registry import BASELINES
from input_iba.settings import setting


@dataclass(frozen=True)
class GradientMethod(ScoringMethod):
    """Settings of methods that give a value to every channel of every pixel."""

    channels: str = setting(
        "sum",
        "'sum' over the channels of a pixel, or the dimensions of a token's embedding, which keeps "
        "the sign; or 'abs_sum'",
        choices=("sum", "abs_sum"),
    )

    def reduced(self, task: MethodTask, values: Tensor) -> Tensor:
        """Make maps (s, H, W) or (s, T) of values shaped like the inputs."""
        return (values.abs() if self.channels == "abs_sum" else values).sum(task.modality.channels)


@BASELINES.register_module(name="gradient")
@dataclass(frozen=True)
class Gradient(GradientMethod):
    """The gradient itself.

    References:
        Simonyan et al. 2014 (arXiv 1312.6034), section 3.
    """

    name: ClassVar[str] = "gradient"
    channels: str = "abs_sum"

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W)."""
        method = captum_attr().Saliency(task.scorer(self.score))
        return self.reduced(task, method.attribute(task.leaf(), abs=False))


@BASELINES.register_module(name="input_x_gradient")
@dataclass(frozen=True)
class InputXGradient(GradientMethod):
    """The gradient times the (normalised) input, or the embedding.

    References:
        Shrikumar et al. 2016 (arXiv 1605.01713).
    """

    name: ClassVar[str] = "input_x_gradient"
    signed: ClassVar[bool] = True

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W)."""
        method = captum_attr().InputXGradient(task.scorer(self.score))
        return self.reduced(task, method.attribute(task.leaf()))


@BASELINES.register_module(name="smooth_grad")
@dataclass(frozen=True)
class SmoothGrad(GradientMethod):
    """The mean gradient of noisy copies of the input.

    References:
        Smilkov et al. 2017 (arXiv 1706.03825): 50 copies, noise of 10 to 20 % of the range.
    """

    name: ClassVar[str] = "smooth_grad"
    one_by_one: ClassVar[bool] = True
    counted_by: ClassVar[str] = "n_samples"

    channels: str = "abs_sum"
    n_samples: int = setting(50, "noisy copies", at_least=1)
    noise: float = setting(
        0.15, "deviation of the noise, as a share of the range of the sample's values", above=0
    )

    def maps(self, task: MethodTask) -> Tensor:
        """Return the map of one sample, (1, H, W) or (1, T)."""
        method = captum_attr().Saliency(task.scorer(self.score))
        total = torch.zeros_like(task.inputs)
        for part in noisy_copies(task, self.name, self.n_samples, self.noise):
            total += method.attribute(part.requires_grad_(), abs=False).sum(0)
        return self.reduced(task, total / self.n_samples)


@BASELINES.register_module(name="int_grad")
@dataclass(frozen=True)
class IntegratedGradients(GradientMethod):
    """The gradient summed along the straight line from a blank input.

    References:
        Sundararajan et al. 2017 (arXiv 1703.01365), equation 1; Gauss-Legendre points.
    """

    name: ClassVar[str] = "int_grad"
    signed: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = True
    counted_by: ClassVar[str] = "n_steps"

    n_steps: int = setting(50, "points on the line", at_least=1)
    fill: float = setting(
        0.0, "the blank input, in normalised values; 0 is the data's mean colour, and no word"
    )

    def maps(self, task: MethodTask) -> Tensor:
        """Return the map of one sample, (1, H, W) or (1, T)."""
        return self.reduced(task, self.values(task))

    def values(self, task: MethodTask) -> Tensor:
        """Return a value of every channel of every pixel of one sample, (1, …)."""
        method = captum_attr().IntegratedGradients(task.scorer(self.score))
        values: Tensor = method.attribute(
            task.leaf(),
            baselines=self.fill,
            n_steps=self.n_steps,
            internal_batch_size=min(task.internal_batch_size, self.n_steps),
        )
        return values.detach().to(task.inputs.dtype)  # captum 0.7 sums doubles


@BASELINES.register_module(name="smooth_int_grad")
@dataclass(frozen=True)
class SmoothIntegratedGradients(IntegratedGradients):
    """The mean of the integrated gradients of noisy copies of the input.

    References:
        Smilkov et al. 2017 (arXiv 1706.03825), section 3, of Sundararajan et al. 2017.
    """

    name: ClassVar[str] = "smooth_int_grad"

    n_steps: int = setting(25, "points on the line of each copy", at_least=1)
    n_samples: int = setting(10, "noisy copies", at_least=1)
    noise: float = setting(
        0.15, "deviation of the noise, as a share of the range of the sample's values", above=0
    )

    def values(self, task: MethodTask) -> Tensor:
        """Return a value of every channel of every pixel of one sample, (1, …)."""
        total = torch.zeros_like(task.inputs)
        for part in noisy_copies(task, self.name, self.n_samples, self.noise):
            for copy in torch.split(part, 1):
                total += super().values(replace(task, inputs=copy))
        return total / self.n_samples


def noisy_copies(task: MethodTask, stage: str, copies: int, noise: float) -> Iterator[Tensor]:
    """Yield noisy copies of one sample, (n, …), as many at once as the classifier may see.

    The noise has a deviation of `noise`, as a share of the range of the sample's values. It is
    drawn at once, unlike captum's NoiseTunnel: numbers drawn in parts depend on the parts.
    """
    deviation = noise * (task.inputs.max() - task.inputs.min())
    [drawn] = task.noise(stage).normal(copies, *task.inputs.shape[1:])
    for part in torch.split(drawn, task.internal_batch_size):
        yield task.tokens.only_scored(task.inputs + deviation * part, task.inputs)
