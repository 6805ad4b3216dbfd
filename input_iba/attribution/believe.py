"""Cheap checks of the maps of a batch: what hiding the hottest does, and what agrees with what."""

from __future__ import annotations

from math import nan

import torch
from torch import Tensor

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.input_iba import InputBottleneck
from input_iba.attribution.task import AttributionTask, Task
from input_iba.core.correlation import pearson, spearman
from input_iba.core.optimise import FittedMask, chunks
from input_iba.modality import VisionModality
from input_iba.records import Checks

SHARE = 0.1
"""Of the units that are hidden: pixels, or tokens that are not special ones."""

SMOOTHING = 1 / 56
"""Deviation of the smoothing of gains before they are compared, as a share of the shorter side."""


def check(
    task: AttributionTask,
    settings: InputBottleneck,
    maps: Tensor,
    feature: FittedFeatures,
    fitted: FittedMask,
) -> list[Checks]:
    """Check the map of each sample, by two rows of the classifier forward.

    Args:
        task: The S samples.
        settings: Those of the input bottleneck.
        maps: The maps to check, (S, H, W); of text (S, T).
        feature: What the feature bottleneck has learned.
        fitted: What the input bottleneck has learned.
    """
    hot, cold = hidden(task, maps).unbind(1)
    # Of noise that is the same in every step there are no two halves.
    alone = settings.noise == "fixed" or len(fitted.target_loss) < 2
    # Features of texts may lie anywhere, at the last word of recurrent networks; where those of
    # several inputs lie is not known.
    placed = task.modality.kind == VisionModality.kind
    halves = [_smooth_map(task, part) for part in (fitted.half, fitted.gain - fitted.half)]
    size = _smooth_map(task, fitted.gain.abs())
    found = []
    for i in range(len(maps)):
        first, second, gains, features = (
            _scored(task, of_all, i) for of_all in (*halves, size, feature.saliency)
        )
        found.append(
            Checks(
                hidden=hot[i].item(),
                spared=cold[i].item(),
                halves=nan if alone else pearson(first, second).item(),
                agreement=spearman(gains, features).item() if placed else nan,
            )
        )
    return found


@torch.no_grad()
def hidden(task: Task, maps: Tensor) -> Tensor:
    """Return how well targets are met with the hottest and the coldest tenth of maps hidden.

    What is hidden becomes 0, the mean colour, or an embedding of zeros; of few words it is at
    least one.

    Returns:
        (S, 2), in [0, 1]; NaN where that is not known.
    """
    places = _places(task, maps)
    scored = task.tokens.zeroed(torch.ones_like(maps)).flatten(1).sum(1, keepdim=True)
    count = (SHARE * scored).round().clamp(min=1)
    least = (places >= scored - count) & (places < scored)
    hide = torch.stack([places < count, least], 1).view(len(maps), 2, *maps.shape[1:])
    hide = hide.unsqueeze(1 + task.modality.channels)
    losses = maps.new_empty(len(maps), 2)
    with task.classifier.frozen():
        for rows, columns in chunks(len(maps), 2, task.internal_batch_size):
            changed = torch.where(hide[rows, columns], 0, task.inputs[rows, None])
            answers = task.in_rows(task.classifier.logits, changed, rows)
            losses[rows, columns] = task.losses.select(range(*rows.indices(len(maps))))(answers)
    return torch.stack([task.losses.met(part) for part in losses.unbind(1)], 1)


def _places(task: Task, maps: Tensor) -> Tensor:
    """Return each value's place in the order of its map, 0 for the highest, (S, N).

    What is not scored comes last.
    """
    scored = task.tokens.zeroed(torch.ones_like(maps)) > 0
    heats = maps.where(scored, -torch.inf).flatten(1)
    return heats.argsort(dim=1, descending=True, stable=True).argsort(dim=1)


def _smooth_map(task: Task, gain: Tensor) -> Tensor:
    return task.modality.smooth_map(task.modality.to_map(gain), SMOOTHING)


def _scored(task: Task, maps: Tensor, i: int) -> Tensor:
    """Return the values of one sample's map that are scored, (1, n), double precision."""
    kept = task.tokens.select([i]).zeroed(torch.ones_like(maps[i : i + 1])) > 0
    return maps[i : i + 1][kept][None].double()
