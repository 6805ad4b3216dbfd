"""Whether two predictions agree, how closely, and the colours that say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import jensenshannon

from input_iba.drawing.heat_map import Floats, Pixels
from input_iba.errors import DataError

AGREES = np.array([0, 140, 60])
DIFFERS = np.array([205, 25, 25])


@dataclass(frozen=True)
class Agreement:
    """How two predicted distributions compare, for each of N samples.

    Attributes:
        agrees: Whether the likeliest classes are the same, (N,).
        strength: 1 − Jensen–Shannon distance, (N,), in [0, 1]; 1 where they are equal.
    """

    agrees: NDArray[np.bool_]
    strength: Floats


def agreement(black_box: ArrayLike, other: ArrayLike) -> Agreement:
    """Compare what a black box predicts on whole inputs with what is predicted on chunks.

    The distance is the square root of the Jensen–Shannon divergence in bits, so it is at most 1.

    Args:
        black_box: Probabilities (N, classes).
        other: Probabilities (N, classes), of the approximator or of the black box itself.

    Raises:
        DataError: The shapes differ.

    References:
        Endres and Schindelin 2003, "A new metric for probability distributions".

    >>> found = agreement([[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
    >>> found.agrees.tolist(), found.strength.tolist()
    ([True, False], [1.0, 0.0])
    """
    p, q = np.asarray(black_box, np.float64), np.asarray(other, np.float64)
    if p.ndim != 2 or p.shape != q.shape:
        raise DataError(
            f"Two predictions to compare are both (N, classes); got {p.shape} and {q.shape}."
        )
    # Rounding may take the distance of equal distributions below 0, whose root is no number.
    distance = np.nan_to_num(jensenshannon(p, q, base=2, axis=1))
    return Agreement(p.argmax(1) == q.argmax(1), np.clip(1 - distance, 0, 1))


def frame_colours(found: Agreement) -> Pixels:
    """Return the colour of each frame, (N, 3): green or red, the paler the weaker.

    >>> frame_colours(Agreement(np.array([True]), np.array([0.0]))).tolist()
    [[255, 255, 255]]
    """
    full = np.where(found.agrees[:, None], AGREES, DIFFERS)
    mixed = 255 + found.strength[:, None] * (full - 255)
    colours: Pixels = np.round(mixed).astype(np.uint8)
    return colours
