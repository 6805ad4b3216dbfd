"""Replace pixels of an input in the order of a map, and score what the classifier makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import torch
from torch import Tensor, nn

from input_iba.core.explainable import weights_dtype
from input_iba.core.maps import check_maps
from input_iba.core.outputs import select_logits
from input_iba.core.targets import probabilities
from input_iba.errors import EvaluationError

Classify = Callable[[Tensor], Tensor]
"""Maps inputs (B, C, H, W) to logits (B, classes)."""


def step_counts(pixels: int, pixel_batch_size: int) -> Tensor:
    """Return how many pixels are replaced after every step, from none to all of them.

    Args:
        pixels: H·W.
        pixel_batch_size: Pixels per step; the last step takes what is left.

    Returns:
        (steps + 1,), int64.

    Raises:
        EvaluationError: `pixel_batch_size` is below 1.

    >>> step_counts(5, 2)
    tensor([0, 2, 4, 5])
    """
    if pixel_batch_size < 1:
        raise EvaluationError(f"pixel_batch_size is at least 1; got {pixel_batch_size!r}.")
    steps = -(-pixels // pixel_batch_size)
    return (torch.arange(steps + 1) * pixel_batch_size).clamp(max=pixels)


def replaced(start: Tensor, end: Tensor, places: Tensor, counts: Tensor) -> Tensor:
    """Return inputs whose first pixels are those of another input.

    Args:
        start: Inputs (B, C, H, W), or one for all, (1, C, H, W).
        end: What pixels are replaced by, shaped like `start`.
        places: Ranks of the pixels, (B, H, W), or (1, H, W).
        counts: Number of pixels to replace, (B,).

    Returns:
        (B, C, H, W).
    """
    chosen = places < counts[:, None, None]
    return torch.where(chosen[:, None], end, start)


def scores_while_replacing(
    classify: Classify,
    start: Tensor,
    end: Tensor,
    places: Tensor,
    counts: Tensor,
    targets: Tensor,
    rows: int = 32,
    use_softmax: bool = True,
) -> Tensor:
    """Score every step on the way from one input to another.

    Args:
        classify: Maps inputs (B, C, H, W) to logits (B, classes).
        start: Inputs before the first step, (S, C, H, W).
        end: Inputs after the last step, (S, C, H, W).
        places: Ranks of the pixels, (S, H, W).
        counts: Number of pixels replaced after every step, (T,).
        targets: Class indices, (S,).
        rows: Inputs that the classifier sees at once; images and steps share a pass.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.

    Returns:
        Probability of the target, (S, T), float64, on the CPU.

    Raises:
        EvaluationError: `rows` is below 1, or a target is no class of the classifier.
    """
    samples, steps = len(start), len(counts)
    counts = counts.to(start.device)

    def build(part: Tensor) -> Tensor:
        chosen = samples_of(part, steps, samples)
        return replaced(start[chosen], end[chosen], places[chosen], counts[part % steps])

    of_steps = targets.to(start.device).repeat_interleave(steps)
    scores = target_scores(
        classify, build, of_steps, rows, lambda logits: probabilities(logits, use_softmax)
    )
    return scores.view(samples, steps)


def samples_of(part: Tensor, steps: int, samples: int) -> Tensor | slice:
    """Return which sample each position belongs to, where every sample has `steps` of them.

    One sample alone needs no copies of itself: all of it, which is broadcast over its steps.
    """
    return slice(None) if samples == 1 else part // steps


@torch.no_grad()
def target_scores(
    classify: Classify,
    build: Callable[[Tensor], Tensor],
    targets: Tensor,
    rows: int = 32,
    score: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Score inputs that are built a pass at a time.

    Args:
        classify: Maps inputs (B, C, H, W) to logits (B, classes).
        build: Maps positions (B,), 0 to N − 1, to inputs (B, C, H, W).
        targets: Class index at every position, (N,), on the device of the inputs.
        rows: Inputs that the classifier sees at once.
        score: Maps logits (B, classes) to scores of the same shape; None takes the logits.

    Returns:
        Score of the target at every position, (N,), float64, on the CPU.

    Raises:
        EvaluationError: `rows` is below 1, or a target is no class of the classifier.
    """
    if rows < 1:
        raise EvaluationError(f"rows, the inputs of one forward pass, is at least 1; got {rows!r}.")
    limits = (int(targets.min()), int(targets.max()))
    scores = []
    for part in torch.split(torch.arange(len(targets), device=targets.device), rows):
        logits = classify(build(part))
        _check_logits(logits, len(part), limits)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        values = logits if score is None else score(logits)
        scores.append(values.gather(1, targets[part][:, None])[:, 0].cpu())
    return torch.cat(scores).double()


def check_samples(inputs: Tensor, heats: Tensor, targets: Tensor | Sequence[int]) -> Tensor:
    """Refuse inputs, maps and targets that do not fit each other.

    Args:
        inputs: (S, C, H, W).
        heats: (S, H, W).
        targets: Class indices, (S,).

    Returns:
        The targets, int64, (S,).

    Raises:
        EvaluationError: Shapes do not fit, or a heat is not finite.
    """
    labels = torch.as_tensor(targets, dtype=torch.int64)
    if inputs.ndim != 4 or labels.shape != inputs.shape[:1]:
        raise EvaluationError(
            f"Expected inputs (S, C, H, W) and one target each; got inputs "
            f"{tuple(inputs.shape)} and targets {tuple(labels.shape)}."
        )
    check_maps(heats, (len(inputs), *inputs.shape[2:]))
    return labels


def as_batch(classifier: nn.Module, input_tensor: Tensor) -> Tensor:
    """Return one input, (C, H, W) or (1, C, H, W), as (1, C, H, W) where the classifier is."""
    device = device_of(classifier, input_tensor.device)
    single = input_tensor.ndim == 4 and len(input_tensor) == 1
    return (input_tensor if single else input_tensor[None]).detach().to(device)


def logits_from(classifier: nn.Module) -> Classify:
    """Return the logits of whatever a classifier returns, for inputs in the type of its weights."""
    dtype = weights_dtype(classifier)

    def classify(inputs: Tensor) -> Tensor:
        own = inputs if dtype is None else inputs.to(dtype)
        return select_logits(classifier(own), len(inputs))

    return classify


def device_of(classifier: nn.Module, otherwise: torch.device) -> torch.device:
    """Return where a classifier's weights are; `otherwise` where it has none."""
    weights = chain(classifier.parameters(), classifier.buffers())
    return next((weight.device for weight in weights), otherwise)


def _check_logits(logits: Tensor, rows: int, targets: tuple[int, int]) -> None:
    if logits.ndim != 2 or len(logits) != rows:
        raise EvaluationError(
            f"The classifier must return logits (B, classes) with B = {rows}; got shape "
            f"{tuple(logits.shape)}."
        )
    if targets[0] < 0 or targets[1] >= logits.shape[1]:
        raise EvaluationError(
            f"Targets reach from {targets[0]} to {targets[1]}, but the classifier has classes 0 "
            f"to {logits.shape[1] - 1}."
        )
