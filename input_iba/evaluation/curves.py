"""Curves of many steps as short lists of plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from torch import Tensor

POINTS = 101
"""Points that a row keeps of a curve of many steps."""


def resampled(shares: Tensor, scores: Tensor) -> list[float]:
    """Return a curve (T,) over shares (T,) at `POINTS` equal distances, rounded for reading."""
    import numpy as np

    return rounded(np.interp(np.linspace(0, 1, POINTS), shares.numpy(), scores.numpy()))


def rounded(values: ArrayLike, digits: int = 6) -> list[float]:
    """Return numbers as a plain list, rounded for reading."""
    import numpy as np

    found: list[float] = np.round(np.asarray(values, dtype=np.float64), digits).tolist()
    return found
