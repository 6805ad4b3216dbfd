"""Slow, literal transcription of docs/METHOD.md, sections 2 and 4: both bottlenecks, with Adam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from tests.reference.formulas import feature_capacity, input_capacity, mask_of
from tests.reference.prior import layer_output


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
