"""Images of an amortised explainer's training: what it chose, and whether that suffices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import jensenshannon

from input_iba.drawing.figures import Chart, Line, write_charts
from input_iba.drawing.heat_map import Floats, Pixels, overlay, scale_to_peak
from input_iba.drawing.image_sheet import as_pixels, write_sheet
from input_iba.drawing.words import percent
from input_iba.errors import DataError

AGREES, DIFFERS = np.array([0, 140, 60]), np.array([205, 25, 25])
"""Colours of frames."""

HIDDEN = np.array([72, 84, 128])
"""Hidden chunks shine through this blue: black would look like a dark background."""

PANELS: Mapping[str, tuple[str, Sequence[str]]] = {
    "Loss": (
        "nats",
        ("loss", "cross_entropy", "top_k_cross_entropy", "black_box_cross_entropy", "kl"),
    ),
    "Agreement": ("share", ("approximator_fidelity", "rationale_fidelity")),
    "Temperature": ("temperature", ("temperature",)),
}
"""Titles of the curves, with what the vertical axis means and the keys of the rows."""


@dataclass(frozen=True)
class Agreement:
    """Whether the likeliest classes of two predictions are the same, (N,), and how close they are.

    `strength` is 1 − Jensen–Shannon distance, (N,), in [0, 1]; 1 where they are equal.
    """

    agrees: NDArray[np.bool_]
    strength: Floats


def agreement(black_box: ArrayLike, other: ArrayLike) -> Agreement:
    """Compare what a black box predicts on whole inputs with what is predicted on chunks.

    The distance is the square root of the Jensen–Shannon divergence in bits, so it is at most 1.
    Both predictions are probabilities (N, classes).

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
    # Rounding may take the distance of equal distributions below 0, whose root is not a number.
    distance = np.nan_to_num(jensenshannon(p, q, base=2, axis=1))
    return Agreement(p.argmax(1) == q.argmax(1), np.clip(1 - distance, 0, 1))


def frame_colours(found: Agreement) -> Pixels:
    """Return the colour of each frame, (N, 3): green or red, the paler the weaker.

    >>> frame_colours(Agreement(np.array([True]), np.array([0.0]))).tolist()
    [[255, 255, 255]]
    """
    full = np.where(found.agrees[:, None], AGREES, DIFFERS)
    mixed = 255 + found.strength[:, None] * (full - 255)
    return np.asarray(np.round(mixed), dtype=np.uint8)


def write_test_batch(path: Path, images: ArrayLike, captions: Sequence[str] = ()) -> None:
    """Draw a batch (N, C, H, W) in [0, 1] as it is; one caption per image, or none."""
    write_sheet(path, as_pixels(images), "test batch", captions)


def write_distribution(
    path: Path,
    images: ArrayLike,
    probabilities: ArrayLike,
    captions: Sequence[str] = (),
    note: str = "",
) -> None:
    """Lay the probability of being chosen over each image, each map divided by its largest.

    `images` are (N, C, H, W) in [0, 1]; `probabilities` are the explainer's distribution over
    chunks, every pixel with the value of its chunk, (N, H, W); `note` ends the heading.

    Raises:
        DataError: A shape is wrong, here as in the other sheets.
    """
    drawn = _heated(as_pixels(images), probabilities)
    heading = "where the explainer looks (each stretched to its own peak)"
    write_sheet(path, drawn, _noted(heading, note), captions)


def write_top_k(
    path: Path,
    images: ArrayLike,
    masks: ArrayLike,
    black_box: ArrayLike,
    other: ArrayLike,
    class_names: Sequence[str] | None = None,
    who: str = "approximator",
    note: str = "",
) -> None:
    """Draw the chosen chunks, framed by whether they suffice.

    Green: from the chosen chunks the same class is predicted as the black box predicts from the
    whole image; red: another. The paler a frame, the further apart the two distributions are.
    Below stand the two classes.

    Args:
        path: The PNG to write.
        images: (N, C, H, W) in [0, 1].
        masks: 1 where a pixel is shown and 0 where it is hidden, (N, H, W), or (N, C, H, W) where
            colours are shown and hidden one by one.
        black_box: What the black box predicts from whole images, probabilities (N, classes).
        other: What `who` predicts from the chosen chunks, probabilities (N, classes).
        class_names: Names of the classes; None for their numbers.
        who: Named in the heading.
        note: Ends the heading.
    """
    drawn = _unveiled(as_pixels(images), masks)
    colours = frame_colours(agreement(black_box, other))
    pairs = zip(*(np.asarray(p).argmax(1).tolist() for p in (black_box, other)), strict=True)
    captions = [" → ".join(_class_name(i, class_names) for i in pair) for pair in pairs]
    heading = f"black box (whole) → {who} (chosen chunks); frame: green same, red other class"
    write_sheet(path, drawn, _noted(heading, note), captions, colours)


def write_explanation(
    path: Path,
    image: ArrayLike,
    probabilities: ArrayLike,
    mask: ArrayLike,
    black_box: ArrayLike,
    approximator: ArrayLike,
    class_names: Sequence[str] | None = None,
    note: str = "",
) -> None:
    """Draw one image, where the explainer looks, and the chosen chunks, side by side.

    Arguments and frame are those of `write_distribution` and `write_top_k`, of one sample: the
    image (C, H, W), probabilities of being chosen (H, W), and of classes (classes,). `note` is the
    heading.
    """
    tile = as_pixels(np.asarray(image)[None])
    looks = _heated(tile, np.asarray(probabilities)[None])
    chosen = _unveiled(tile, np.asarray(mask)[None])
    whole, chunks = (np.asarray(p, dtype=np.float64) for p in (black_box, approximator))

    def told(who: str, p: Floats) -> str:
        return f"{who}: {_class_name(int(p.argmax()), class_names)} {percent(float(p.max()))}"

    frames = np.full((3, 3), 255, np.uint8)
    frames[2] = frame_colours(agreement(whole[None], chunks[None]))[0]
    looking = "where the explainer looks"
    captions = [told("black box", whole), looking, told("approximator", chunks)]
    write_sheet(path, np.concatenate([tile, looks, chosen]), note, captions, frames, columns=3)


def write_training_curves(
    path: Path,
    rows: Sequence[Mapping[str, object]],
    x: str = "epoch",
    panels: Mapping[str, tuple[str, Sequence[str]]] = PANELS,
    title: str = "",
) -> None:
    """Draw what a training recorded, one chart per quantity, side by side.

    Rows are those of `metrics.jsonl` and may lack keys; `x` is the key of the horizontal axis.
    Keys of `panels` that no row has are left out, and charts without lines too. `title` stands
    above all.
    """
    charts = []
    for name, (meaning, keys) in panels.items():
        lines = [line for line in (_line(rows, x, key) for key in keys) if line.x]
        if lines:
            charts.append(Chart(name, x, meaning, lines))
    if not charts:
        known = ", ".join(key for _, keys in panels.values() for key in keys)
        raise DataError(f"Nothing to draw: no row has {x!r} and any of {known}.")
    write_charts(path, charts, title)


def _noted(heading: str, note: str) -> str:
    return f"{heading}. {note}" if note else heading


def _line(rows: Sequence[Mapping[str, object]], x: str, key: str) -> Line:
    drawn = [
        (float(a), float(b))
        for a, b in ((row.get(x), row.get(key)) for row in rows)
        if isinstance(a, int | float) and isinstance(b, int | float)
    ]
    return Line(key.replace("_", " "), [a for a, _ in drawn], [b for _, b in drawn])


def _heated(tiles: Pixels, maps: ArrayLike) -> Pixels:
    """Lay maps (N, H, W), each divided by its largest value, over images (N, H, W, 3)."""
    pairs = zip(tiles, _maps_of(tiles, maps), strict=True)
    return np.stack([overlay(tile, scale_to_peak(one)) for tile, one in pairs])


def _unveiled(tiles: Pixels, masks: ArrayLike) -> Pixels:
    """Lay a veil over what masks (N, H, W), or (N, C, H, W), hide of images (N, H, W, 3)."""
    array = np.asarray(masks, dtype=np.float32)
    array = array[:, None] if array.ndim == 3 else array
    shown = np.stack([_maps_of(tiles, channel) for channel in array.swapaxes(0, 1)], axis=3)
    veiled = 0.3 * tiles + 0.7 * HIDDEN
    return np.round(shown * tiles + (1 - shown) * veiled).astype(np.uint8)


def _class_name(index: int, class_names: Sequence[str] | None) -> str:
    return str(index) if class_names is None else class_names[index]


def _maps_of(tiles: Pixels, maps: ArrayLike) -> Floats:
    array = np.asarray(maps, dtype=np.float32)
    if array.shape != tiles.shape[:3]:
        raise DataError(
            f"Maps of {len(tiles)} images of {tiles.shape[1]}×{tiles.shape[2]} pixels have shape "
            f"{tiles.shape[:3]}; got {array.shape}. Give every pixel the value of its chunk."
        )
    return array
