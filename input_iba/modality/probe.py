"""Where the features at a layer change when a part of the image does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from input_iba.modality.axes import Size
from input_iba.modality.layouts import Layout, fits

PLACES = ((0, 1, 3), (0, 2, 0), (1, 0, 2), (1, 3, 1), (2, 0, 1), (2, 3, 2), (3, 1, 0), (3, 2, 3))
"""Where, of four along each axis, the parts are that are changed one at a time.

Each row and each column has two, so that neither alone tells which part it is."""

CONFIRMED = 0.5
"""Least correlation, over the positions of a map, of where a position is and where the parts are
that it reacts to; of rows and of columns."""

ALIKE = 0.8
"""Of layouts whose sureness is this share of the best, the likelier one by its shape is right."""

NOISE = 1e-5
"""Reactions below this share of the largest are rounding."""


def changed_images(image: Tensor) -> Tensor:
    """Return an image (1, C, H, W) and it with a part changed at each place, (1 + places, …)."""
    image = image.nan_to_num(0.0, 0.0, 0.0)
    places = places_of(image.ndim - 2)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(image.shape, generator=generator).to(image)
    scale = image.std().clamp_min(0.1)
    other = 2 * image.mean() - image + 2 * scale * noise
    images = image.repeat(1 + len(places), *[1] * (image.ndim - 1))
    for changed, place in zip(images[1:], places, strict=True):
        part = (slice(None), *map(_part, place, image.shape[2:]))
        changed[part] = other[0][part]
    return images


def places_of(dims: int) -> tuple[tuple[int, ...], ...]:
    """Return the places of an input of some spatial dimensions.

    >>> places_of(1)
    ((0,), (1,), (2,), (3,))
    """
    return tuple(dict.fromkeys(place[:dims] for place in PLACES))


def choose(values: Sequence[Tensor], layouts: Sequence[Layout], image: Size) -> Layout | None:
    """Return the layout in which the features change where the image does.

    Where the layer does not react to most parts, as behind a network that looks at one corner, it
    is the only one whose proportions are those of the image; None where it cannot be told.

    Args:
        values: What flows at the layer for the images of `changed_images`, in one batch or more.
        layouts: Those that the shape allows, the likelier first.
        image: Height and width.
    """
    maps = [torch.cat([layout.maps(value, image) for value in values]) for layout in layouts]
    reactions = [_reactions(of_layout) for of_layout in maps]
    sure = [_sureness(of_layout) for of_layout in reactions]
    if (best := max(sure, default=0.0)) > 0:
        return next(layout for layout, it in zip(layouts, sure, strict=True) if it > ALIKE * best)
    fitting = [layout for layout, its in zip(layouts, maps, strict=True) if fits(its, image)]
    seen = any(map(_enough_show, reactions))
    return fitting[0] if len(fitting) == 1 and not seen else None


def _part(quarter: int, size: int) -> slice:
    """Return one of four parts of some pixels, at least one of them."""
    start = quarter * size // 4
    return slice(start, max((quarter + 1) * size // 4, start + 1))


def _reactions(maps: Tensor) -> Tensor:
    """Return how much every position changes with each part, (places, h, w)."""
    found = (maps[1:] - maps[:1]).float().abs().sum(1)
    least = NOISE * max(found.amax().item(), maps.float().abs().amax().item())
    return torch.where(found > least, found, 0)


def _sureness(reactions: Tensor) -> float:
    """Return how sure it is that positions react to the parts of the image where they are.

    It is Fisher's transform of the lesser of the correlations in rows and columns, in deviations;
    0 where that is below `CONFIRMED`, or too few parts show.
    """
    if not _enough_show(reactions):
        return 0.0
    # What a part does on the average says nothing of places; where it does most says most.
    squares = reactions.double().square()
    each = (-1, *[1] * (squares.ndim - 1))
    shares = squares / squares.flatten(1).mean(1).clamp_min(1e-30).view(each)
    total = shares.sum(0)
    # Positions count by how much they react; the root, so that none outweighs all the others.
    weights = total.sqrt() / total.sqrt().sum()
    correlations = []
    for axis, size in enumerate(total.shape):
        at = (torch.arange(size).to(total) + 0.5) / size
        position = at.view(each[: total.ndim - axis]).expand_as(total)
        parts = torch.tensor([(place[axis] + 0.5) / 4 for place in places_of(total.ndim)])
        centre = torch.einsum("p,p...->...", parts.to(total), shares) / total.clamp_min(1e-30)
        if size > 1:
            correlations.append(_correlation(position, centre, weights))
    least = min(correlations, default=0.0)
    if least < CONFIRMED:
        return 0.0
    count = float(1 / weights.square().sum())
    return math.atanh(min(least, 0.9999)) * math.sqrt(max(count - 3, 1))


def _correlation(one: Tensor, other: Tensor, weights: Tensor) -> float:
    """Return Pearson's correlation of two maps, weighted; 0 where one of them is constant."""
    one = one - (weights * one).sum()
    other = other - (weights * other).sum()
    spread = (weights * one.square()).sum() * (weights * other.square()).sum()
    return float((weights * one * other).sum() / spread.sqrt().clamp_min(1e-12))


def _enough_show(reactions: Tensor) -> bool:
    """Return whether half of the parts show, at four positions or more."""
    parts = int((reactions.flatten(1).amax(1) > 0).sum())
    return 2 * parts >= len(reactions) and int((reactions.amax(0) > 0).sum()) >= 4
