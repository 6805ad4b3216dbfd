"""Where the features at a layer change when a part of the image does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from input_iba.modality.layouts import Layout, Size, fits

PLACES = ((0, 1), (1, 3), (2, 0), (3, 2))
"""Rows and columns, of four, of the parts that are changed one at a time.

Exchanging rows and columns, or turning the image, moves each of them elsewhere."""

CONFIRMED = 0.6
"""Share of the positions under the changed parts that must react to their own part the most; by
chance it is a quarter."""

REACTS = 0.5
"""Share of a position's reactions to all parts that shows to which part it belongs."""

NOISE = 1e-5
"""Reactions below this share of the largest are rounding."""


def changed_images(image: Tensor) -> Tensor:
    """Return an image (1, C, H, W), and the same with one part changed at each of the places.

    Returns:
        (1 + places, C, H, W).
    """
    height, width = image.shape[2:]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(image.shape, generator=generator).to(image)
    scale = image.std().clamp_min(0.1)
    other = 2 * image.mean() - image + 2 * scale * noise
    images = image.repeat(1 + len(PLACES), 1, 1, 1)
    for changed, (row, column) in zip(images[1:], PLACES, strict=True):
        rows, columns = _part(row, height), _part(column, width)
        changed[:, rows, columns] = other[0, :, rows, columns]
    return images


def _part(quarter: int, size: int) -> slice:
    """Return one of four parts of some pixels, at least one of them."""
    start = quarter * size // 4
    return slice(start, max((quarter + 1) * size // 4, start + 1))


def choose(value: Tensor, layouts: Sequence[Layout], image: Size) -> Layout | None:
    """Return the layout in which the features change where the image does.

    Args:
        value: What flows at the layer for the images of `changed_images`.
        layouts: Those that the shape allows, the likelier first.
        image: Height and width.

    Returns:
        The layout; where nothing can be seen, because the layer spreads what it is given all over
        the map, the only one whose proportions are those of the image; None where it cannot be
        told, or where the change shows that no layout is right.
    """
    scored = [(_score(_reactions(layout.maps(value, image))), layout) for layout in layouts]
    best = max((score for score, _ in scored), default=0.0)
    if best >= CONFIRMED:
        return next(layout for score, layout in scored if score == best)
    fitting = [layout for layout in layouts if fits(layout.maps(value, image), image)]
    if len(fitting) != 1 or _elsewhere(_reactions(fitting[0].maps(value, image))):
        return None
    return fitting[0]


def _reactions(maps: Tensor) -> Tensor:
    """Return how much every position changes with each part, (places, h, w)."""
    found = (maps[1:] - maps[:1]).float().abs().sum(1)
    least = NOISE * max(found.amax().item(), maps.float().abs().amax().item())
    return torch.where(found > least, found, 0)


def _score(reactions: Tensor) -> float:
    """Return the share of the positions under changed parts that react to their own the most."""
    right = seen = 0
    for own, (row, column) in enumerate(PLACES):
        under = _under(reactions, row, column)
        reacts = under.amax(0) > 0
        right += int(((under.argmax(0) == own) & reacts).sum())
        seen += int(reacts.sum())
    # One part alone that shows somewhere says nothing of the order of rows.
    distinct = int((reactions.flatten(1).amax(1) > 0).sum())
    return right / seen if seen and distinct > 1 else 0.0


def _under(reactions: Tensor, row: int, column: int) -> Tensor:
    """Return the reactions of the positions in a part, or of the one in its middle, (places, n)."""
    spans = []
    for part, size in ((row, reactions.shape[1]), (column, reactions.shape[2])):
        centres = (torch.arange(size, device=reactions.device) + 0.5) / size
        inside = ((centres > part / 4) & (centres < (part + 1) / 4)).nonzero().flatten()
        middle = torch.tensor([int((part + 0.5) / 4 * size)], device=reactions.device)
        spans.append(inside if len(inside) else middle)
    return reactions[:, spans[0]][:, :, spans[1]].flatten(1)


def _elsewhere(reactions: Tensor) -> bool:
    """Say whether every part shows at some position clearly, so that it is not spread all over."""
    shares = reactions / reactions.sum(0).clamp_min(1e-30)
    return bool((shares.flatten(1).amax(1) > REACTS).all())
