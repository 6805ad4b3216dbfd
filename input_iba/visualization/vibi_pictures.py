"""Pictures of an amortised explainer's training: what it chose, and whether that suffices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import jensenshannon

from input_iba.errors import DataError
from input_iba.visualization.curves import Chart, Line, write_charts
from input_iba.visualization.heat_map import Floats, Pixels, overlay, scale_to_peak
from input_iba.visualization.picture_sheet import as_pixels, write_sheet

AGREES = np.array([0, 140, 60])
DIFFERS = np.array([205, 25, 25])
HIDDEN = np.array([72, 84, 128])
"""Hidden chunks shine through this blue: black would look like a dark background."""

PANELS: Mapping[str, tuple[str, Sequence[str]]] = {
    "Loss": ("nats", ("loss", "cross_entropy", "kl")),
    "Agreement": ("share", ("approximator_fidelity", "rationale_fidelity")),
    "Temperature": ("temperature", ("temperature",)),
}
"""Titles of the curves, with what the vertical axis means and the keys of the rows."""


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


def write_test_batch(path: Path, pictures: ArrayLike, captions: Sequence[str] = ()) -> None:
    """Draw a batch as it is.

    Args:
        path: The PNG to write.
        pictures: (N, C, H, W) in [0, 1].
        captions: One per picture, or none.

    Raises:
        DataError: A shape is wrong.
    """
    write_sheet(path, as_pixels(pictures), "test batch", captions)


def write_distribution(
    path: Path, pictures: ArrayLike, probabilities: ArrayLike, captions: Sequence[str] = ()
) -> None:
    """Lay the probability of being chosen over each picture, each map divided by its largest.

    Args:
        path: The PNG to write.
        pictures: (N, C, H, W) in [0, 1].
        probabilities: The explainer's distribution over chunks, every pixel with the value of its
            chunk, (N, H, W), not negative.
        captions: One per picture, or none.

    Raises:
        DataError: A shape is wrong.
    """
    tiles = as_pixels(pictures)
    maps = _maps_of(tiles, probabilities)
    drawn = [overlay(tile, scale_to_peak(one)) for tile, one in zip(tiles, maps, strict=True)]
    heading = "where the explainer looks (each stretched to its own peak)"
    write_sheet(path, np.stack(drawn), heading, captions)


def write_top_k(
    path: Path,
    pictures: ArrayLike,
    masks: ArrayLike,
    black_box: ArrayLike,
    other: ArrayLike,
    class_names: Sequence[str] | None = None,
    who: str = "approximator",
) -> None:
    """Draw the chosen chunks, framed by whether they suffice.

    Green: from the chosen chunks the same class is predicted as the black box predicts from the
    whole picture; red: another. The paler a frame, the further apart the two distributions are.
    Below stand the two classes.

    Args:
        path: The PNG to write.
        pictures: (N, C, H, W) in [0, 1].
        masks: 1 where a pixel is shown and 0 where it is hidden, (N, H, W).
        black_box: What the black box predicts from whole pictures, probabilities (N, classes).
        other: What is predicted from the chosen chunks, probabilities (N, classes).
        class_names: Names of the classes; None for their numbers.
        who: Who predicts from the chosen chunks, for the heading.

    Raises:
        DataError: A shape is wrong.
    """
    tiles = as_pixels(pictures)
    shown = _maps_of(tiles, masks)[..., None]
    found = agreement(black_box, other)
    veiled = 0.3 * tiles + 0.7 * HIDDEN
    drawn = np.round(shown * tiles + (1 - shown) * veiled).astype(np.uint8)
    classes = [np.asarray(p).argmax(1) for p in (black_box, other)]
    names = [[str(i) if class_names is None else class_names[i] for i in c] for c in classes]
    write_sheet(
        path,
        drawn,
        f"black box (whole) → {who} (chosen chunks); frame: green same, red other class",
        [f"{whole} → {chosen}" for whole, chosen in zip(*names, strict=True)],
        frame_colours(found),
    )


def frame_colours(found: Agreement) -> Pixels:
    """Return the colour of each frame, (N, 3): green or red, the paler the weaker.

    >>> frame_colours(Agreement(np.array([True]), np.array([0.0]))).tolist()
    [[255, 255, 255]]
    """
    full = np.where(found.agrees[:, None], AGREES, DIFFERS)
    mixed = 255 + found.strength[:, None] * (full - 255)
    colours: Pixels = np.round(mixed).astype(np.uint8)
    return colours


def write_training_curves(
    path: Path,
    rows: Sequence[Mapping[str, object]],
    x: str = "epoch",
    panels: Mapping[str, tuple[str, Sequence[str]]] = PANELS,
) -> None:
    """Draw what a training recorded, one chart per quantity, side by side.

    Args:
        path: The PNG to write.
        rows: One per epoch, as in `metrics.jsonl`; rows may lack keys.
        x: Key of the horizontal axis.
        panels: From a chart's title to the meaning of its vertical axis and the keys of its lines;
            keys that no row has are left out, and charts without lines too.

    Raises:
        DataError: No row has any of the keys.
    """
    charts = []
    for title, (meaning, keys) in panels.items():
        lines = [line for line in (_line(rows, x, key) for key in keys) if line.x]
        if lines:
            charts.append(Chart(title, x, meaning, lines))
    if not charts:
        known = ", ".join(key for _, keys in panels.values() for key in keys)
        raise DataError(f"Nothing to draw: no row has {x!r} and any of {known}.")
    write_charts(path, charts)


def _line(rows: Sequence[Mapping[str, object]], x: str, key: str) -> Line:
    points = [(row.get(x), row.get(key)) for row in rows]
    drawn = [
        (float(a), float(b))
        for a, b in points
        if isinstance(a, int | float) and isinstance(b, int | float)
    ]
    return Line(key.replace("_", " "), [a for a, _ in drawn], [b for _, b in drawn])


def _maps_of(tiles: Pixels, maps: ArrayLike) -> Floats:
    array = np.asarray(maps, dtype=np.float32)
    if array.shape != tiles.shape[:3]:
        raise DataError(
            f"Maps of {len(tiles)} pictures of {tiles.shape[1]}×{tiles.shape[2]} pixels have shape "
            f"{tiles.shape[:3]}; got {array.shape}. Give every pixel the value of its chunk."
        )
    return array
