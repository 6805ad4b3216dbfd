"""Hide units of inputs step by step, and score what the classifier makes of the rest."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from input_iba.core.targets import class_logits, probabilities
from input_iba.errors import EvaluationError
from input_iba.modality.units import Units, chosen

Hide = Callable[[Tensor, Tensor], Tensor]
"""Maps numbers of samples and of steps, (B,) each, to the units to hide, (B, U), bool."""


def step_counts(changed: Tensor, step: int) -> Tensor:
    """Return how many units are changed after every step, (S, T), int64, from none on.

    Of a sample (S,) are `changed` in the end: its last step takes what is left, and then it stays.

    >>> step_counts(torch.tensor([5, 2]), 2)
    tensor([[0, 2, 4, 5],
            [0, 2, 2, 2]])
    """
    steps = torch.arange(-(-int(changed.max()) // step) + 1, device=changed.device)
    return torch.minimum(steps * step, changed[:, None])


def follow(
    units: Units,
    places: Tensor,
    counts: Tensor,
    labels: Tensor,
    internal_batch_size: int = 32,
    use_softmax: bool = True,
    revealing: bool = False,
) -> Tensor:
    """Return the probability of the target at every step, (S, T), float64, on the CPU.

    Args:
        units: Of S inputs.
        places: Place of every unit in the order, (S, U).
        counts: Number of units changed after every step, (S, T).
        labels: Class indices, (S,).
        internal_batch_size: Inputs that the classifier sees at once; samples and steps share a
            pass.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.
        revealing: Whether the changed units are the ones that are not hidden.
    """
    counts, scored = counts.to(places.device), units.scored

    def hide(of: Tensor, step: Tensor) -> Tensor:
        changed = chosen(places, of) < counts[of, step][:, None]
        return ~changed & chosen(scored, of) if revealing else changed

    score = partial(probabilities, use_softmax=use_softmax)
    return target_scores(units, hide, counts.shape[1], labels, internal_batch_size, score)


@torch.no_grad()
def target_scores(
    units: Units,
    hide: Hide,
    steps: int,
    labels: Tensor,
    internal_batch_size: int = 32,
    score: Callable[[Tensor], Tensor] = class_logits,
) -> Tensor:
    """Return the target's score of S inputs without some units, (S, T), float64, on the CPU.

    Args:
        units: Of S inputs.
        hide: Says which are hidden.
        steps: How often every input is scored, T.
        labels: Class indices, (S,), where the inputs are.
        internal_batch_size: Inputs that the classifier sees at once.
        score: Maps logits (B, classes) to scores.

    Raises:
        EvaluationError: `internal_batch_size` is below 1, or a target is not a class.
    """
    if internal_batch_size < 1:
        raise EvaluationError(
            f"internal_batch_size, the inputs of one forward pass, must be at least 1; got "
            f"{internal_batch_size!r}."
        )
    limits = (int(labels.min()), int(labels.max()))
    scores = []
    positions = torch.arange(len(labels) * steps, device=labels.device)
    for part in torch.split(positions, internal_batch_size):
        of = part // steps
        logits = units.logits(of, hide(of, part % steps))
        _check_logits(logits, len(part), limits)
        values = score(logits.to(torch.promote_types(logits.dtype, torch.float32)))
        scores.append(values.gather(1, labels[of][:, None])[:, 0].cpu())
    return torch.cat(scores).double().view(len(labels), steps)


def _check_logits(logits: Tensor, count: int, targets: tuple[int, int]) -> None:
    if logits.ndim != 2 or len(logits) != count:
        raise EvaluationError(
            f"The classifier must return logits (B, classes) with B = {count}; got shape "
            f"{tuple(logits.shape)}."
        )
    last = max(logits.shape[1] - 1, 1)  # one logit tells two classes apart
    if targets[0] < 0 or targets[1] > last:
        raise EvaluationError(
            f"Targets reach from {targets[0]} to {targets[1]}, but the classifier has classes 0 "
            f"to {last}."
        )
