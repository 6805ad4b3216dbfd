"""Where the features at a layer change when a part of the image does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from input_iba.modality.layouts import Layout, Size, fits

PLACES = ((0, 1), (0, 2), (1, 0), (1, 3), (2, 0), (2, 3), (3, 1), (3, 2))
"""Rows and columns, of four, of the parts that are changed one at a time.

Exchanging rows and columns or turning the image moves each of them elsewhere, and neither row nor
column alone tells which it is."""

CONFIRMED = 0.7
"""Share of the positions in changed parts that must react to their own part the most; by chance it
is an eighth, and half where the rows are right and the columns are not."""

SURE = 3.0
"""By how many deviations that share must exceed chance."""

LOCAL = 0.4
"""Mean share of the strongest part in a position's reactions, from which features are of places."""

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
    scored = [(_sureness(_reactions(layout.maps(value, image))), layout) for layout in layouts]
    best = max((score for score, _ in scored), default=0.0)
    if best > 0:
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


def _sureness(reactions: Tensor) -> float:
    """Return by how many deviations more positions than by chance react to their own part the most.

    Args:
        reactions: (places, h, w).

    Returns:
        0 where too few of them do for anything to be sure.
    """
    own = _own_parts(reactions.shape[1], reactions.shape[2]).to(reactions.device)
    counted = own.any(0) & (reactions.amax(0) > 0)
    # Where one part alone shows, nothing is seen of the order.
    if not counted.any() or int((reactions.flatten(1).amax(1) > 0).sum()) < 2:
        return 0.0
    strongest = reactions.argmax(0, keepdim=True)
    right = own.gather(0, strongest)[0][counted].double()
    chance = own.double().mean(0)[counted]
    deviation = (chance * (1 - chance)).sum().sqrt().clamp_min(1e-9)
    surplus = float((right - chance).sum() / deviation)
    return surplus if surplus >= SURE and float(right.mean()) >= CONFIRMED else 0.0


def _own_parts(height: int, width: int) -> Tensor:
    """Return which parts reach into each position of a map, bool (places, h, w)."""

    def reaches(part: int, size: int) -> Tensor:
        start = torch.arange(size) / size
        return (start < (part + 1) / 4 - 1e-6) & (start + 1 / size > part / 4 + 1e-6)

    return torch.stack(
        [reaches(row, height)[:, None] & reaches(column, width) for row, column in PLACES]
    )


def _elsewhere(reactions: Tensor) -> bool:
    """Say whether positions react to one part clearly, rather than to all of them alike."""
    total = reactions.sum(0)
    reacting = total > 0
    if int((reactions.flatten(1).amax(1) > 0).sum()) < 2:
        return False
    return bool((reactions.amax(0)[reacting] / total[reacting]).mean() > LOCAL)
