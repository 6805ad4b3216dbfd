"""The one optimisation loop behind both bottlenecks: fit masks that keep the target's loss low."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from input_iba.core.bottleneck import SCHEDULES, Bottleneck, BottleneckSettings
from input_iba.core.information import clamp_mask
from input_iba.core.noise import NoiseSource, noise_draws
from input_iba.core.targets import TargetLosses

Progress = Callable[[str, int, int, Mapping[str, float]], None]
"""Called after every step: stage, steps done, steps in all, loss parts (mean over samples)."""


class Means(Mapping[str, float]):
    """Means over samples of the parts of a loss, (S,) each, computed when somebody asks.

    An accelerator is behind the processor that tells it what to do: to ask is to wait for it.

    >>> dict(Means(target=torch.tensor([1.0, 2.0])))
    {'target': 1.5}
    """

    def __init__(self, **losses: Tensor) -> None:
        self._losses = losses

    def __getitem__(self, name: str) -> float:
        return self._losses[name].mean().item()

    def __iter__(self) -> Iterator[str]:
        return iter(self._losses)

    def __len__(self) -> int:
        return len(self._losses)


@dataclass(frozen=True)
class FittedMask:
    """What the loop found.

    Attributes:
        alpha: The mask's logit before smoothing, (S, *shape).
        lambda_: The mask, smoothed and clamped, (S, *shape).
        capacity: Nats per element at that mask, (S, *shape).
        gain: By how much the target's loss falls where an element is let pass: minus its gradient
            with respect to λ, summed over the steps, (S, *shape).
        half: The same, summed over every other step, which is half of the noise.
        target_loss: Mean over draws, per step, (steps, S).
        information_loss: Mean capacity in nats, per step, (steps, S).
        failures: Per sample what went wrong, or None.
    """

    alpha: Tensor
    lambda_: Tensor
    capacity: Tensor
    gain: Tensor
    half: Tensor
    target_loss: Tensor
    information_loss: Tensor
    failures: tuple[str | None, ...]


def fit_mask(
    bottleneck: Bottleneck,
    losses: TargetLosses,
    noise: NoiseSource,
    settings: BottleneckSettings,
    *,
    stage: str,
    internal_batch_size: int | None = None,
    progress: Progress | None = None,
) -> FittedMask:
    """Minimise target loss + β · mean capacity over α with Adam.

    The loss is averaged over K draws and summed over S samples. Adam is elementwise, so every
    sample follows the path that it would follow alone.

    Args:
        bottleneck: The channel.
        losses: The targets' losses, of S samples.
        noise: Draws standard-normal numbers.
        settings: Steps, learning rate, β, draws.
        stage: Name for messages and progress.
        internal_batch_size: Most rows that the classifier sees at once; None for S·K.
        progress: Told about every step.
    """
    signal = bottleneck.signal
    alpha = torch.full_like(signal, settings.initial_alpha)
    if bottleneck.start is not None:
        alpha.copy_(bottleneck.start)
    alpha.requires_grad_()
    optimiser = torch.optim.Adam([alpha], lr=settings.lr)
    share = SCHEDULES[settings.lr_schedule]
    schedule = LambdaLR(optimiser, lambda step: share(step / settings.opt_steps))
    draw = noise_draws(noise, settings.noise, settings.batch_size, *signal.shape[1:])
    history: list[tuple[Tensor, Tensor]] = []
    reached = torch.zeros(len(signal), dtype=torch.bool, device=signal.device)
    gain, half = torch.zeros_like(signal), torch.zeros_like(signal)
    for step in range(settings.opt_steps):
        smoothed = clamp_mask(bottleneck.mask(alpha))
        lambda_ = smoothed.detach().requires_grad_()
        target_loss = _backward_target(bottleneck, losses, lambda_, draw(), internal_batch_size)
        if lambda_.grad is not None:
            reached |= lambda_.grad.flatten(1).ne(0).any(1)
            gain -= lambda_.grad
            if step % 2:
                half -= lambda_.grad
        information = bottleneck.information(lambda_)
        (settings.beta * information.sum()).backward()  # type: ignore[no-untyped-call]
        optimiser.zero_grad()
        smoothed.backward(lambda_.grad)  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        history.append((target_loss, information.detach()))
        if progress is not None:
            means = Means(target=history[-1][0], information=history[-1][1])
            progress(stage, step + 1, settings.opt_steps, means)
    with torch.no_grad():
        lambda_ = clamp_mask(bottleneck.mask(alpha))
        capacity = bottleneck.counted_capacity(lambda_)
    target_history, information_history = (torch.stack(part) for part in zip(*history, strict=True))
    total = target_history + settings.beta * information_history
    failures = _failures(stage, total, capacity, reached)
    return FittedMask(
        *(alpha.detach(), lambda_, capacity, gain, half),
        *(target_history, information_history, failures),
    )


def _backward_target(
    bottleneck: Bottleneck,
    losses: TargetLosses,
    lambda_: Tensor,
    eps: Tensor,
    internal_batch_size: int | None,
) -> Tensor:
    """Add the gradient of the target's loss to `lambda_.grad`; return the loss, (S,)."""
    samples, draws = eps.shape[:2]
    total = torch.zeros(samples, dtype=lambda_.dtype, device=lambda_.device)
    for rows, columns in chunks(samples, draws, internal_batch_size):
        wanted = losses.select(range(*rows.indices(samples)))
        for sign, reverse in bottleneck.terms:
            mask = lambda_[rows, None]
            noisy = bottleneck.noisy(1 - mask if reverse else mask, rows, eps[rows, columns])
            loss = sign * wanted(bottleneck.logits(rows, noisy)).sum(1) / draws
            if loss.requires_grad:
                loss.sum().backward()  # type: ignore[no-untyped-call]
            total[rows] += loss.detach()
    return total


def chunks(samples: int, draws: int, limit: int | None) -> Iterator[tuple[slice, slice]]:
    """Cut S × K rows into blocks of at most `limit` rows.

    >>> list(chunks(3, 4, 8))
    [(slice(0, 2, None), slice(0, 4, None)), (slice(2, 3, None), slice(0, 4, None))]
    """
    limit = limit or samples * draws
    rows = max(limit // draws, 1)
    columns = min(limit, draws)
    for start in range(0, samples, rows):
        these = slice(start, min(start + rows, samples))
        for first in range(0, draws, columns):
            yield these, slice(first, min(first + columns, draws))


def _failures(
    stage: str, total: Tensor, capacity: Tensor, reached: Tensor
) -> tuple[str | None, ...]:
    """Return what went wrong with each sample, or None."""
    # All at once to the processor, rather than to wait for a device sample by sample.
    finite, reached = torch.isfinite(total).cpu(), reached.cpu()
    whole = torch.isfinite(capacity).flatten(1).all(1).cpu()
    reasons: list[str | None] = []
    for sample in range(total.shape[1]):
        if not finite[:, sample].all():
            step = int((~finite[:, sample]).nonzero()[0]) + 1
            reasons.append(
                f"the loss is not finite at step {step} of {stage}: check the input and the "
                "classifier's weights for NaN, or lower the learning rate"
            )
        elif not whole[sample]:
            reasons.append(f"the mask of {stage} is not finite: lower the learning rate")
        elif not reached[sample]:
            reasons.append(
                f"the target's loss has no gradient with respect to the mask of {stage}: the "
                "target does not depend on that layer, or its probability is exactly 1 whatever "
                "the noise, so a map would mean nothing. Choose another layer"
            )
        else:
            reasons.append(None)
    return tuple(reasons)
