"""Slow, literal re-implementation of docs/METHOD.md, sections 1 to 4, to test the fast one against.

One sample at a time, one noise draw at a time, whole passes through the classifier, formulas as
they are printed; section 3 (WGAN) is in `tests.reference_prior`. Nothing here imports the package.
Computations keep the dtype of their arguments: float64 in tests. Every random number comes from
the caller.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from tests.reference_prior import (
    PriorResult,
    layer_output,
    make_critic,
    real_by_bottleneck,
    real_by_capacity,
    wgan_prior,
)

__all__ = [
    "Adam",
    "FeatureResult",
    "InputResult",
    "PriorResult",
    "feature_capacity",
    "feature_iba",
    "feature_iba_step",
    "gaussian_smooth",
    "input_capacity",
    "input_iba",
    "layer_output",
    "make_critic",
    "real_by_bottleneck",
    "real_by_capacity",
    "saliency",
    "statistics",
    "wgan_prior",
]

LARGEST_LAMBDA = 1 - 1e-6


def statistics(outputs: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean, deviation (n − 1) and share of non-zeros per element (docs/METHOD.md §1).

    Args:
        outputs: One layer output per sample of the estimation set, all of one shape.
    """
    count = len(outputs)
    mean = torch.zeros_like(outputs[0])
    for output in outputs:
        mean = mean + output / count
    variance = torch.zeros_like(mean)
    nonzero = torch.zeros_like(mean)
    for output in outputs:
        variance = variance + (output - mean) ** 2 / (count - 1)
        nonzero = nonzero + (output != 0).to(mean.dtype) / count
    return mean, variance.sqrt(), nonzero


def reflected(index: int, size: int) -> int:
    """Return where an index outside a line of `size` points falls when its ends are mirrors.

    The end points are not repeated: …2 1 [0 1 2 … n−1] n−2…, with period 2(n − 1).
    """
    if size == 1:
        return 0
    period = 2 * (size - 1)
    index = index % period
    return index if index < size else period - index


def gaussian_smooth(mask: Tensor, sigma: float | None) -> Tensor:
    """Return smooth(mask) of a mask (C, h, w) (docs/METHOD.md §2).

    out(y, x) = Σ g(dy, dx) · mask(y + dy, x + dx), the mask reflected at its borders, with
    g = exp(−(dy² + dx²) / 2σ²), normalised, on a square of 2·round(2σ) + 1 points a side.
    """
    if not sigma:
        return mask
    radius = round(2 * sigma)
    height, width = mask.shape[-2:]
    offsets = range(-radius, radius + 1)
    weights = {
        (dy, dx): math.exp(-(dy**2 + dx**2) / (2 * sigma**2)) for dy in offsets for dx in offsets
    }
    total = sum(weights.values())
    smooth = torch.zeros_like(mask)
    for (dy, dx), weight in weights.items():
        rows = [reflected(y + dy, height) for y in range(height)]
        columns = [reflected(x + dx, width) for x in range(width)]
        smooth = smooth + weight / total * mask[:, rows][:, :, columns]
    return smooth


def feature_capacity(features: Tensor, lambda_: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Return KL[N(λR + (1−λ)μ, (1−λ)²s²) ‖ N(μ, s²)] in nats (docs/METHOD.md §2; IBA)."""
    shift = lambda_ * (features - mean) / std
    return -0.5 * (1 + torch.log((1 - lambda_) ** 2) - shift**2 - (1 - lambda_) ** 2)


def input_capacity(
    x: Tensor,
    lambda_: Tensor,
    prior_lambda: Tensor,
    noise_mean: float | Tensor = 0.0,
    noise_std: float | Tensor = 1.0,
) -> Tensor:
    """Return the capacity of the input bottleneck in nats (docs/METHOD.md §4; InputIBA).

    With Π = λ_G Λ it is KL[N(Λx + (1−Λ)m, (1−Λ)²d²) ‖ N(Πx + (1−Π)m, (1−Π)²d²)]: the input
    masked by Λ against the input masked by both masks at once. It is 0 where λ_G = 1, and for
    λ_G = 0 the capacity of §2.
    """
    m, d = noise_mean, noise_std
    numerator = lambda_ * (x - m + prior_lambda * (m - x))
    mean_term = numerator / ((1 - prior_lambda * lambda_) * d)
    v = (1 - lambda_) ** 2 / (1 - prior_lambda * lambda_) ** 2
    return -0.5 * (1 + torch.log(v) - mean_term**2 - v)


@dataclass
class Adam:
    """Adam, β 0.9 and 0.999, ε 1e-8, as in Kingma & Ba, algorithm 1."""

    lr: float
    steps: int = 0
    first: Tensor | float = 0.0
    second: Tensor | float = 0.0

    def step(self, value: Tensor, gradient: Tensor) -> Tensor:
        self.steps += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        first = self.first / (1 - 0.9**self.steps)
        second = self.second / (1 - 0.999**self.steps)
        return value - self.lr * first / (second.sqrt() + 1e-8)


@dataclass
class FeatureResult:
    """Feature bottleneck after its steps: λ and capacity (nats) belong to the final α."""

    alpha: Tensor
    lambda_: Tensor
    capacity: Tensor
    losses: list[float] = field(default_factory=list)
    cross_entropies: list[float] = field(default_factory=list)


@dataclass
class InputResult:
    """Input bottleneck after its steps; `map` is the mean of σ(A) over channels, (H, W)."""

    alpha: Tensor
    lambda_: Tensor
    map: Tensor
    losses: list[float] = field(default_factory=list)
    cross_entropies: list[float] = field(default_factory=list)


def mask_of(alpha: Tensor, sigma: float | None) -> Tensor:
    """Return λ = smooth(σ(α)), kept below 1 (docs/METHOD.md §2 and 'Numerics')."""
    return gaussian_smooth(torch.sigmoid(alpha), sigma).clamp(0, LARGEST_LAMBDA)


def logits_behind(model: nn.Module, layer: str, x: Tensor, features: Tensor) -> Tensor:
    """Return the logits (classes,) of input (C, H, W) with the layer's output replaced."""

    def replace(module: nn.Module, arguments: object, output: Tensor) -> Tensor:
        return features[None]

    handle = model.get_submodule(layer).register_forward_hook(replace)
    try:
        return model(x[None])[0]  # type: ignore[no-any-return]
    finally:
        handle.remove()


def cross_entropy(logits: Tensor, target: int) -> Tensor:
    """Return −log softmax(logits)[target]."""
    return -(logits[target] - torch.logsumexp(logits, 0))


def mean_cross_entropy(
    classify: Callable[[Tensor], Tensor],
    values: Tensor,
    lambda_: Tensor,
    noise: Tensor,
    target: int,
) -> Tensor:
    """Return the cross-entropy of λ·value + (1 − λ)·ε, averaged over the K draws ε (§2, §4)."""
    total = torch.zeros((), dtype=values.dtype)
    for epsilon in noise:
        z = lambda_ * values + (1 - lambda_) * epsilon
        total = total + cross_entropy(classify(z), target)
    return total / len(noise)


def feature_iba_step(
    model: nn.Module,
    layer: str,
    x: Tensor,
    features: Tensor,
    target: int,
    mean: Tensor,
    std: Tensor,
    active: Tensor,
    noise: Tensor,
    alpha: Tensor,
    adam: Adam,
    beta: float,
    sigma: float | None,
) -> tuple[Tensor, float, float]:
    """Take one step of the feature bottleneck (docs/METHOD.md §2).

    Shapes:
        features: R, the layer's output for `x`, one sample without batch dimension.
        std: s, floored already.
        active: Where elements are active; others are set to 0 and carry no capacity.
        noise: Standard-normal (K, *feature shape).

    Returns:
        The new α, the loss, and the cross-entropy in it.
    """
    zero = torch.zeros_like(features)

    def classify(z: Tensor) -> Tensor:
        return logits_behind(model, layer, x, torch.where(active, z, zero))

    alpha = alpha.detach().requires_grad_()
    lambda_ = mask_of(alpha, sigma)
    entropy = mean_cross_entropy(classify, features, lambda_, noise * std + mean, target)
    capacity = torch.where(active, feature_capacity(features, lambda_, mean, std), zero)
    loss = entropy + beta * capacity.mean()
    (gradient,) = torch.autograd.grad(loss, alpha)
    return adam.step(alpha.detach(), gradient), loss.item(), entropy.item()


def feature_iba(
    model: nn.Module,
    layer: str,
    x: Tensor,
    target: int,
    mean: Tensor,
    std: Tensor,
    nonzero: Tensor,
    noise: Sequence[Tensor],
    *,
    beta: float = 20.0,
    lr: float = 1.0,
    steps: int = 10,
    initial_alpha: float = 5.0,
    sigma: float | None = 1.0,
    threshold: float = 0.01,
    min_std: float = 0.01,
) -> FeatureResult:
    """Learn the feature bottleneck of one sample (docs/METHOD.md §2; IBA).

    Shapes:
        layer: Name of the module whose output is masked; the model is in eval mode.
        x: Input (C, H, W).
        mean, std, nonzero: From `statistics`, feature shape each.
        noise: One standard-normal tensor (K, *feature shape) per step.
    """
    features = layer_output(model, layer, x[None])[0].detach()
    active = nonzero > threshold
    s = torch.where(std > min_std, std, torch.full_like(std, min_std))
    alpha = torch.full_like(features, initial_alpha)
    adam = Adam(lr)
    losses, entropies = [], []
    for step in range(steps):
        alpha, loss, entropy = feature_iba_step(
            model,
            layer,
            x,
            features,
            target,
            mean,
            s,
            active,
            noise[step],
            alpha,
            adam,
            beta,
            sigma,
        )
        losses.append(loss)
        entropies.append(entropy)
    lambda_ = mask_of(alpha, sigma)
    capacity = feature_capacity(features, lambda_, mean, s)
    capacity = torch.where(active, capacity, torch.zeros_like(capacity))
    return FeatureResult(alpha, lambda_, capacity, losses, entropies)


def saliency(capacity: Tensor, height: int, width: int) -> Tensor:
    """Return bits per pixel (height, width) of a capacity (C, h, w) in nats (docs/METHOD.md §2).

    Bilinear, corners not aligned: pixel i reads the map at (i + ½)·h/H − ½, never below 0.
    """
    h, w = capacity.shape[-2:]
    bits = capacity.sum(0) / math.log(2) * (h * w) / (height * width)
    result = torch.zeros(height, width, dtype=capacity.dtype)
    for y in range(height):
        v = max((y + 0.5) * h / height - 0.5, 0)
        top, bottom = int(v), min(int(v) + 1, h - 1)
        for x in range(width):
            u = max((x + 0.5) * w / width - 0.5, 0)
            left, right = int(u), min(int(u) + 1, w - 1)
            upper = bits[top, left] * (1 - (u - left)) + bits[top, right] * (u - left)
            lower = bits[bottom, left] * (1 - (u - left)) + bits[bottom, right] * (u - left)
            result[y, x] = upper * (1 - (v - top)) + lower * (v - top)
    return result


def input_iba(
    model: nn.Module,
    x: Tensor,
    target: int,
    prior_lambda: Tensor,
    noise: Sequence[Tensor],
    *,
    beta: float = 20.0,
    lr: float = 1.0,
    steps: int = 60,
    initial_alpha: float = 5.0,
    sigma: float | None = 1.0,
) -> InputResult:
    """Learn the input bottleneck of one sample (docs/METHOD.md §4; InputIBA).

    Shapes:
        x: Input (C, H, W), normalised; the model is in eval mode.
        prior_lambda: λ_G, (C, H, W).
        noise: One standard-normal tensor (K, C, H, W) per step.
    """
    alpha = torch.full_like(x, initial_alpha)
    adam = Adam(lr)
    losses, entropies = [], []
    for step in range(steps):
        alpha = alpha.detach().requires_grad_()
        lambda_ = mask_of(alpha, sigma)
        entropy = mean_cross_entropy(lambda z: model(z[None])[0], x, lambda_, noise[step], target)
        loss = entropy + beta * input_capacity(x, lambda_, prior_lambda).mean()
        (gradient,) = torch.autograd.grad(loss, alpha)
        alpha = adam.step(alpha.detach(), gradient)
        losses.append(loss.item())
        entropies.append(entropy.item())
    return InputResult(
        alpha, mask_of(alpha, sigma), torch.sigmoid(alpha).mean(0), losses, entropies
    )
