"""What one image costs when the method runs the way the published code runs it.

A plain float32 transcription of docs/METHOD.md, 2 to 4: one image at a time; to read the layer
the whole classifier runs, and to try a mask on the layer the whole classifier runs again from the
pixels; the generator's batch is computed once for the critic and once more for itself, with a
graph both times. As in the published code the K noise draws of a step, and the samples of a WGAN
batch, go through the classifier as one batch, its weights are frozen, and the optimisers,
convolutions and batch norms are torch's own. The formulas and the critic are those of
`tests.reference`, which loops over single elements and draws and would be unfairly slow here.

The stages repeat the same work in every step, so a few steps are timed, after one that is not,
and scaled to the published counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.meters import seconds_per_call
from input_iba.attribution import FeatureIBA, InputBottleneck, WGANPrior
from tests import reference


@dataclass(frozen=True)
class Parameters:
    """Counts and weights of one run, the package's own settings; the defaults are published."""

    feature_iba: FeatureIBA = field(default_factory=FeatureIBA)
    prior: WGANPrior = field(default_factory=WGANPrior)
    input_iba: InputBottleneck = field(default_factory=InputBottleneck)


@dataclass(frozen=True)
class Problem:
    """One image (1, C, H, W), its class, and what the layer puts out over an estimation set.

    Attributes:
        mean: Mean per element of the layer's output, without batch dimension.
        std: Deviation, floored.
        active: Which elements are active.
    """

    model: nn.Module
    layer: str
    x: Tensor
    target: int
    mean: Tensor
    std: Tensor
    active: Tensor


@dataclass(frozen=True)
class StageCost:
    """Seconds of a whole stage, scaled up from `timed` of its `total` steps.

    Attributes:
        forward: Rows that go through the classifier in the whole stage.
        backward: Rows whose gradient comes back.
    """

    seconds: float
    timed: int
    total: int
    forward: int
    backward: int


def make_problem(model: nn.Module, layer: str, x: Tensor, estimation: Tensor) -> Problem:
    """Read the layer's statistics from a batch of images and explain the predicted class."""
    with torch.no_grad():
        outputs = reference.layer_output(model, layer, estimation)
        target = int(model(x).argmax())
    mean, std, nonzero = reference.statistics(list(outputs))
    return Problem(model, layer, x, target, mean, std.clamp_min(0.01), nonzero > 0.01)


def published_cost(problem: Problem, parameters: Parameters, timed: int) -> dict[str, StageCost]:
    """Time the three stages of one image; `timed` steps of each (two kinds of step in the WGAN)."""
    required = [p.requires_grad for p in problem.model.parameters()]
    problem.model.requires_grad_(False)
    try:
        feature_cost, capacity = time_feature_stage(problem, parameters.feature_iba, timed)
        height, width = problem.x.shape[-2:]
        start = reference.saliency(capacity.cpu(), height, width).to(problem.x)
        wgan_cost, prior_lambda = time_wgan_stage(problem, parameters.prior, capacity, start, timed)
        input_cost = time_input_stage(problem, parameters.input_iba, prior_lambda, timed)
    finally:
        for parameter, value in zip(problem.model.parameters(), required, strict=True):
            parameter.requires_grad_(value)
    return {"feature_iba": feature_cost, "prior": wgan_cost, "input_iba": input_cost}


def smooth(mask: Tensor, sigma: float) -> Tensor:
    """Smooth each channel of a mask (1, C, h, w) by a Gaussian with reflected borders."""
    if sigma <= 0:
        return mask.clamp(0, reference.LARGEST_LAMBDA)
    radius = round(2 * sigma)
    axis = torch.arange(-radius, radius + 1, dtype=mask.dtype, device=mask.device)
    kernel = torch.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * sigma**2))
    channels = mask.shape[1]
    kernels = (kernel / kernel.sum()).expand(channels, 1, -1, -1)
    padded = F.pad(mask, (radius,) * 4, mode="reflect")
    return F.conv2d(padded, kernels, groups=channels).clamp(0, reference.LARGEST_LAMBDA)


def time_feature_stage(
    problem: Problem, settings: FeatureIBA, timed: int
) -> tuple[StageCost, Tensor]:
    """Return the cost of the feature bottleneck and its capacity (C, h, w) in nats."""
    x, zero = problem.x, torch.zeros_like(problem.mean)
    features = reference.layer_output(problem.model, problem.layer, x).detach()
    alpha = torch.full_like(features, settings.initial_alpha).requires_grad_()
    optimiser = torch.optim.Adam([alpha], lr=settings.lr)
    targets = torch.full((settings.batch_size,), problem.target, device=x.device)
    batch = x.expand(settings.batch_size, -1, -1, -1)
    masked: Tensor = features

    def replace(module: nn.Module, arguments: object, output: Tensor) -> Tensor:
        return masked

    def capacity_of(lambda_: Tensor) -> Tensor:
        value = reference.feature_capacity(features, lambda_, problem.mean, problem.std)
        return torch.where(problem.active, value, zero)

    def step() -> None:
        nonlocal masked
        lambda_ = smooth(torch.sigmoid(alpha), settings.sigma)
        noise = torch.randn_like(features.expand(settings.batch_size, -1, -1, -1))
        epsilon = noise * problem.std + problem.mean
        masked = torch.where(problem.active, lambda_ * features + (1 - lambda_) * epsilon, zero)
        entropy = F.cross_entropy(problem.model(batch), targets)
        loss = entropy + settings.beta * capacity_of(lambda_).mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    handle = problem.model.get_submodule(problem.layer).register_forward_hook(replace)
    try:
        timed = min(timed, settings.opt_steps)
        seconds = seconds_per_call(step, timed, x.device)
    finally:
        handle.remove()
    with torch.no_grad():
        capacity = capacity_of(smooth(torch.sigmoid(alpha), settings.sigma))[0]
    total = settings.opt_steps
    rows = total * settings.batch_size
    return StageCost(seconds * total, timed, total, rows + 1, rows), capacity


def published_critic(feature: Tensor) -> nn.Module:
    """Build the critic with torch's own batch norm, for features (C, h, w)."""
    channels, height, width = feature.shape
    critic = reference.make_critic(channels, height, width)
    for name, module in list(critic.named_children()):
        if isinstance(module, reference.BatchNorm):
            setattr(critic, name, nn.BatchNorm2d(module.weight.shape[0]))
    return critic.to(feature)


def time_wgan_stage(
    problem: Problem, settings: WGANPrior, capacity: Tensor, start: Tensor, timed: int
) -> tuple[StageCost, Tensor]:
    """Return the cost of the WGAN and its mask λ_G (1, C, H, W).

    An epoch costs as much as its samples make full critic batches, plus its generator steps, which
    are timed apart.
    """
    x, size = problem.x, min(settings.batch_size, settings.dataset_size)
    features = reference.layer_output(problem.model, problem.layer, x).detach()
    critic = published_critic(capacity)
    a = start.expand_as(x).clone().requires_grad_()
    m = x.new_zeros(1, x.shape[1], 1, 1).requires_grad_()
    e = x.new_ones(1, x.shape[1], 1, 1).requires_grad_()
    critic_optimiser = torch.optim.RMSprop(critic.parameters(), lr=settings.lr)
    groups = [{"params": [m], "lr": 0.1}, {"params": [e], "lr": 0.05}, {"params": [a], "lr": 0.003}]
    generator_optimiser = torch.optim.RMSprop(groups)
    z = torch.randn(size, *x.shape[1:], device=x.device, dtype=x.dtype)

    def fakes() -> Tensor:
        lambda_g = torch.sigmoid(a)
        fake_input = lambda_g * x + (1 - lambda_g) * (e * z + m)
        return reference.layer_output(problem.model, problem.layer, fake_input)

    def critic_step() -> None:
        nonlocal z
        z = torch.randn_like(z)
        # Mean U(−2, 2) and deviation U(0, 5); drawn per batch here, per group there: equal cost.
        noise = torch.randn(size, *capacity.shape, device=x.device, dtype=x.dtype)
        drawn = noise * (5 * torch.rand(())).item() + (4 * torch.rand(()) - 2).item()
        real = capacity * features + (1 - capacity) * drawn
        loss = -critic(real).mean() + critic(fakes().detach()).mean()
        critic_optimiser.zero_grad()
        loss.backward()
        critic_optimiser.step()
        for parameter in critic.parameters():
            parameter.data.clamp_(-settings.weight_clip, settings.weight_clip)

    def generator_step() -> None:
        generator_optimiser.zero_grad()
        (-critic(fakes()).mean()).backward()
        generator_optimiser.step()

    batches = settings.dataset_size / size
    iterations = -(-settings.dataset_size // size)
    generator_steps = -(-iterations // settings.critic_iter)
    total = settings.epochs * iterations
    timed = min(timed, total)
    of_critic = seconds_per_call(critic_step, timed, x.device)
    of_generator = seconds_per_call(generator_step, timed, x.device)
    seconds = settings.epochs * (batches * of_critic + generator_steps * of_generator)
    generated = settings.epochs * generator_steps * size
    forward = settings.epochs * settings.dataset_size + generated + 1
    return StageCost(seconds, timed, total, forward, generated), torch.sigmoid(a.detach())


def time_input_stage(
    problem: Problem, settings: InputBottleneck, prior_lambda: Tensor, timed: int
) -> StageCost:
    """Return the cost of the input bottleneck."""
    x = problem.x
    alpha = torch.full_like(x, settings.initial_alpha).requires_grad_()
    optimiser = torch.optim.Adam([alpha], lr=settings.lr)
    targets = torch.full((settings.batch_size,), problem.target, device=x.device)

    def step() -> None:
        lambda_ = smooth(torch.sigmoid(alpha), settings.sigma)
        noise = torch.randn_like(x.expand(settings.batch_size, -1, -1, -1))
        entropy = F.cross_entropy(problem.model(lambda_ * x + (1 - lambda_) * noise), targets)
        capacity = reference.input_capacity(x, lambda_, prior_lambda)
        loss = entropy + settings.beta * capacity.mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    timed, total = min(timed, settings.opt_steps), settings.opt_steps
    seconds = seconds_per_call(step, timed, x.device) * total
    rows = total * settings.batch_size
    return StageCost(seconds, timed, total, rows, rows)
