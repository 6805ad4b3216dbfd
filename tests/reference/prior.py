"""Slow, literal transcription of docs/METHOD.md, section 3: the prior on the input (WGAN)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

RealSample = Callable[[int, Tensor], Tensor]
"""Builds real sample number i from standard-normal noise of the feature's shape."""


@dataclass
class PriorResult:
    """Outcome of the WGAN: `logits` is a, `mask` λ_G = σ(a), both (C, H, W)."""

    logits: Tensor
    mask: Tensor
    noise_mean: Tensor
    noise_std: Tensor
    critic_losses: list[float]
    generator_losses: list[float]


def layer_output(model: nn.Module, layer: str, inputs: Tensor) -> Tensor:
    """Return f_layer(inputs): what the named module puts out in a whole pass of the model."""
    seen: list[Tensor] = []

    def keep(module: nn.Module, arguments: object, output: Tensor) -> None:
        seen.append(output.clone())  # a later in-place ReLU must not change what was read

    handle = model.get_submodule(layer).register_forward_hook(keep)
    try:
        model(inputs)
    finally:
        handle.remove()
    return seen[0]


class RMSprop:
    """RMSprop as the WGAN uses it: v ← .99 v + .01 g²; θ ← θ − lr · g / (√v + 1e-8)."""

    def __init__(self, parameters: Sequence[Tensor], lr: float) -> None:
        self.parameters = list(parameters)
        self.lr = lr
        self.squares = [torch.zeros_like(parameter) for parameter in self.parameters]

    def step(self, gradients: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for number, (parameter, gradient) in enumerate(
                zip(self.parameters, gradients, strict=True)
            ):
                self.squares[number] = 0.99 * self.squares[number] + 0.01 * gradient * gradient
                parameter.sub_(self.lr * gradient / (self.squares[number].sqrt() + 1e-8))


class BatchNorm(nn.Module):
    """Batch normalisation that always uses the statistics of the batch at hand."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, inputs: Tensor) -> Tensor:
        mean = inputs.mean(dim=(0, 2, 3), keepdim=True)
        variance = ((inputs - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
        normalised = (inputs - mean) / torch.sqrt(variance + 1e-5)
        return normalised * self.weight[None, :, None, None] + self.bias[None, :, None, None]


class ZeroPad(nn.Module):
    """Zeros at the bottom and on the right until a map has at least 4×4 points."""

    def forward(self, inputs: Tensor) -> Tensor:
        batch, channels, height, width = inputs.shape
        padded = inputs.new_zeros(batch, channels, max(height, 4), max(width, 4))
        padded[:, :, :height, :width] = inputs
        return padded


def make_critic(channels: int, height: int, width: int) -> nn.Sequential:
    """Build the critic for feature maps (channels, height, width) (docs/METHOD.md §3).

    Its parameters, in order: weight and bias of each of three convolutions, each followed by
    weight and bias of its batch norm; then weight and bias of three linear layers.
    """
    layers: list[nn.Module] = [ZeroPad()]
    inputs, height, width = channels, max(height, 4), max(width, 4)
    for outputs, kernel, stride in ((2 * channels, 4, 2), (4 * channels, 4, 2), (channels, 3, 1)):
        layers += [nn.Conv2d(inputs, outputs, kernel, stride, padding=1), BatchNorm(outputs)]
        layers.append(nn.LeakyReLU(0.2))
        inputs = outputs
        height = (height + 2 - kernel) // stride + 1
        width = (width + 2 - kernel) // stride + 1
    layers += [nn.Flatten(), nn.Linear(inputs * height * width, 512), nn.LeakyReLU(0.2)]
    layers += [nn.Linear(512, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1)]
    return nn.Sequential(*layers)


def real_by_capacity(
    features: Tensor,
    capacity: Tensor,
    group_means: Sequence[float],
    group_stds: Sequence[float],
    sub_dataset_size: int,
) -> RealSample:
    """Return `real='capacity'`: blended by capacity (nats) with noise of a deviation per group."""

    def sample(index: int, noise: Tensor) -> Tensor:
        group = index // sub_dataset_size
        drawn = noise * group_stds[group] + group_means[group]
        return capacity * features + (1 - capacity) * drawn

    return sample


def real_by_bottleneck(
    features: Tensor, lambda_: Tensor, mean: Tensor, std: Tensor, active: Tensor
) -> RealSample:
    """Return `real='bottleneck'`: Z = λR + (1−λ)ε of §2; `std` is floored by the caller."""

    def sample(index: int, noise: Tensor) -> Tensor:
        z = lambda_ * features + (1 - lambda_) * (noise * std + mean)
        return torch.where(active, z, torch.zeros_like(z))

    return sample


def wgan_prior(
    model: nn.Module,
    layer: str,
    x: Tensor,
    saliency: Tensor,
    critic: nn.Module,
    real_sample: RealSample,
    permutation: Callable[[int], Sequence[int]],
    real_noise: Callable[[int, int], Tensor],
    fake_noise: Callable[[int, int], Tensor],
    *,
    dataset_size: int = 200,
    batch_size: int = 32,
    epochs: int = 20,
    critic_iter: int = 5,
    weight_clip: float = 0.01,
    lr: float = 5e-5,
    lr_mean: float = 0.1,
    lr_std: float = 0.05,
    lr_mask: float = 0.003,
) -> PriorResult:
    """Estimate the prior's mask λ_G of one sample (docs/METHOD.md §3; InputIBA).

    Shapes and callables:
        layer: Name of the module whose output the critic sees; the model is in eval mode.
        x: Input (C, H, W).
        saliency: Saliency of the feature bottleneck (H, W), bits per pixel; a starts there.
        critic: From `make_critic`; trained in place.
        real_sample: From `real_by_capacity` or `real_by_bottleneck`.
        permutation: Epoch -> order of the real samples.
        real_noise: (iteration counted over all epochs, n) -> noise (n, *feature shape).
        fake_noise: (iteration counted over all epochs, n) -> noise z (n, C, H, W).
    """
    a = saliency.expand(x.shape).clone().requires_grad_()
    m = x.new_zeros(x.shape[0], 1, 1).requires_grad_()
    e = x.new_ones(x.shape[0], 1, 1).requires_grad_()
    weights = list(critic.parameters())
    critic_optimiser = RMSprop(weights, lr)
    generator_optimisers = [RMSprop([m], lr_mean), RMSprop([e], lr_std), RMSprop([a], lr_mask)]
    critic_losses: list[float] = []
    generator_losses: list[float] = []

    def fake_batch(z: Tensor) -> Tensor:
        lambda_g = torch.sigmoid(a)
        fakes = [lambda_g * x + (1 - lambda_g) * (e * draw + m) for draw in z]
        return torch.cat([layer_output(model, layer, fake[None]) for fake in fakes])

    for epoch in range(epochs):
        order = list(permutation(epoch))
        starts = range(0, dataset_size, batch_size)
        for iteration, start in enumerate(starts):
            total = epoch * len(starts) + iteration
            indices = order[start : start + batch_size]
            noise = real_noise(total, len(indices))
            real = torch.stack(
                [real_sample(i, draw) for i, draw in zip(indices, noise, strict=True)]
            )
            z = fake_noise(total, len(indices))
            fake = fake_batch(z).detach()

            critic_loss = -critic(real).mean() + critic(fake).mean()
            critic_optimiser.step(torch.autograd.grad(critic_loss, weights))
            with torch.no_grad():
                for weight in weights:
                    weight.clamp_(-weight_clip, weight_clip)
            critic_losses.append(critic_loss.item())

            if iteration % critic_iter == 0:
                generator_loss = -critic(fake_batch(z)).mean()
                gradients = torch.autograd.grad(generator_loss, [m, e, a])
                for optimiser, gradient in zip(generator_optimisers, gradients, strict=True):
                    optimiser.step([gradient])
                generator_losses.append(generator_loss.item())

    a = a.detach()
    return PriorResult(a, torch.sigmoid(a), m.detach(), e.detach(), critic_losses, generator_losses)
