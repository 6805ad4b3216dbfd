"""Methods that follow the gradient of the score to the input, or to a layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.attribution.methods.base import MethodTask, ScoringMethod, captum_attr
from input_iba.core.hooks import layer_shapes
from input_iba.core.targets import target_scores
from input_iba.errors import AttributionError
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
        deviation = self.noise * (task.inputs.max() - task.inputs.min())
        # Drawn at once, unlike captum's NoiseTunnel: numbers drawn in parts depend on the parts.
        [noise] = task.noise(self.name).normal(self.n_samples, *task.inputs.shape[1:])
        total = torch.zeros_like(task.inputs)
        for part in noise.split(task.internal_batch_size):
            noisy = (task.inputs + deviation * part).requires_grad_()
            total += method.attribute(noisy, abs=False).sum(0)
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
        """Return the map of one sample, (1, H, W)."""
        method = captum_attr().IntegratedGradients(task.scorer(self.score))
        values = method.attribute(
            task.leaf(),
            baselines=self.fill,
            n_steps=self.n_steps,
            internal_batch_size=min(task.internal_batch_size, self.n_steps),
        )
        return self.reduced(task, values)


@BASELINES.register_module(name="grad_cam")
@dataclass(frozen=True)
class GradCam(ScoringMethod):
    """The positive part of a layer's features, weighted by their mean gradients, enlarged.

    It is not captum's, which takes the first dimension for channels whatever the layer puts out.

    References:
        Selvaraju et al. 2017 (arXiv 1610.02391), equations 1 and 2.
    """

    name: ClassVar[str] = "grad_cam"
    explains: ClassVar[frozenset[str]] = frozenset({"images"})
    uses_captum: ClassVar[bool] = False

    layer: str = setting("", "layer to look at; empty for the last one whose output is a map")

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W)."""
        layer = self.layer or last_map(task)
        tapped = task.tapped(layer)
        features = tapped.features(task.inputs).detach().requires_grad_()
        task.modality.check_features(features, layer)
        # A copy of them, which layers behind may write into.
        logits = tapped.logits_with(task.inputs, features.clone())
        scores = target_scores(logits[:, None], task.losses, self.score, task.use_softmax)
        [gradients] = torch.autograd.grad(scores.sum(), features)
        weights = gradients.mean((2, 3), keepdim=True)
        cam = (weights * features.detach()).sum(1, keepdim=True).relu()
        size = task.inputs.shape[-2:]
        return F.interpolate(cam, size, mode="bilinear", align_corners=False)[:, 0]


def last_map(task: MethodTask) -> str:
    """Return the last layer whose output is a map of more than one position.

    Raises:
        AttributionError: There is none.
    """
    shapes = layer_shapes(task.model, task.inputs[:1], task.classifier.returned)
    for last, outputs in reversed(shapes.items()):
        if len(outputs) == 1 and len(outputs[0]) == 3 and math.prod(outputs[0][1:]) > 1:
            return last
    raise AttributionError(
        f"Method 'grad_cam' needs a layer whose output is a map, and {type(task.model).__name__} "
        "has none. Use another method, such as 'gradient'."
    )
