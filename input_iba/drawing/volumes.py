"""Volumes and videos as their most informative slices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from input_iba.drawing.heat_map import Floats, Pixels, heat_of, overlay, rendered

MAX_SLICES = 16
"""Slices between which a slider chooses."""

SIDE_BY_SIDE = 3
"""Slices that are drawn where nothing slides."""


def informative_slices(mask: Floats, count: int) -> list[int]:
    """Return the slices of a mask (D, H, W) with the greatest sums of absolute values, in order.

    >>> informative_slices(np.array([[[0.0]], [[3.0]], [[-2.0]], [[1.0]]]), 2)
    [1, 2]
    """
    sums = np.abs(mask).reshape(len(mask), -1).sum(1)
    return sorted(np.argsort(-sums, kind="stable")[:count].tolist())


def slices(
    volume: Pixels | None, mask: Floats, held: float, count: int = MAX_SLICES
) -> dict[str, Pixels]:
    """Return the most informative slices of a mask (D, H, W), over those of a volume, by caption.

    Colours mean the same in all of them.

    Args:
        volume: (D, H, W, 3), uint8; None to draw the mask alone.
        mask: (D, H, W).
        held: By what the heat over the volume is multiplied.
        count: How many slices.
    """
    if volume is None:
        drawn = rendered(mask)
    else:
        heat = held * heat_of(mask)
        drawn = np.stack([overlay(*pair) for pair in zip(volume, heat, strict=True)])
    chosen = informative_slices(mask, count)
    return {f"slice {i + 1} of {len(mask)}": drawn[i] for i in chosen}


def hottest(mask: Floats, count: int = MAX_SLICES) -> int:
    """Return which of the most informative slices of a mask (D, H, W) is the most informative."""
    return informative_slices(mask, count).index(informative_slices(mask, 1)[0])


def sliced(
    volume: Pixels | None, mask: Floats, masks: Mapping[str, Floats], held: float
) -> dict[str, Pixels]:
    """Return a few slices of a map (D, H, W) over a volume; all of the first one's masks.

    The arguments are those of `slices`; `masks` are (D, H, W) by caption.
    """
    [best] = informative_slices(mask, 1)
    found = slices(volume, mask, held, SIDE_BY_SIDE)
    if volume is not None:
        found = {f"input, slice {best + 1}": volume[best]} | found
    return found | {
        f"{name}, slice {best + 1}": rendered(values)[best] for name, values in masks.items()
    }
