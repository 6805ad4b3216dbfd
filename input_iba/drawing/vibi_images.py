"""Pictures of an amortised explainer's training: what it chose, and whether that suffices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from input_iba.drawing.agreement import agreement, frame_colours
from input_iba.drawing.curves import Chart, Line, write_charts
from input_iba.drawing.heat_map import Floats, Pixels, overlay, scale_to_peak
from input_iba.drawing.image_sheet import as_pixels, write_sheet
from input_iba.drawing.rows import percent
from input_iba.errors import DataError

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
    drawn = _heated(as_pixels(pictures), probabilities)
    heading = "where the explainer looks (each stretched to its own peak)"
    write_sheet(path, drawn, heading, captions)


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
        masks: 1 where a pixel is shown and 0 where it is hidden, (N, H, W), or (N, C, H, W) where
            colours are shown and hidden one by one.
        black_box: What the black box predicts from whole pictures, probabilities (N, classes).
        other: What is predicted from the chosen chunks, probabilities (N, classes).
        class_names: Names of the classes; None for their numbers.
        who: Who predicts from the chosen chunks, for the heading.

    Raises:
        DataError: A shape is wrong.
    """
    drawn = _unveiled(as_pixels(pictures), masks)
    found = agreement(black_box, other)
    classes = [np.asarray(p).argmax(1) for p in (black_box, other)]
    names = [[_class_name(i, class_names) for i in c] for c in classes]
    write_sheet(
        path,
        drawn,
        f"black box (whole) → {who} (chosen chunks); frame: green same, red other class",
        [f"{whole} → {chosen}" for whole, chosen in zip(*names, strict=True)],
        frame_colours(found),
    )


def write_explanation(
    path: Path,
    picture: ArrayLike,
    probabilities: ArrayLike,
    mask: ArrayLike,
    black_box: ArrayLike,
    approximator: ArrayLike,
    class_names: Sequence[str] | None = None,
) -> None:
    """Draw one picture, where the explainer looks, and the chosen chunks, side by side.

    The frame of the chosen chunks is that of `write_top_k`.

    Args:
        path: The PNG to write.
        picture: (C, H, W) in [0, 1].
        probabilities: Of being chosen, every pixel with the value of its chunk, (H, W).
        mask: 1 where a pixel is shown, (H, W) or (C, H, W).
        black_box: What the black box predicts from the whole picture, probabilities (classes,).
        approximator: What the approximator predicts from the chosen chunks, (classes,).
        class_names: Names of the classes; None for their numbers.

    Raises:
        DataError: A shape is wrong.
    """
    tiles = as_pixels(np.asarray(picture)[None])
    drawn = [
        tiles,
        _heated(tiles, np.asarray(probabilities)[None]),
        _unveiled(tiles, np.asarray(mask)[None]),
    ]
    whole, chosen = (np.asarray(p, dtype=np.float64) for p in (black_box, approximator))
    told = [
        f"{who}: {_class_name(int(p.argmax()), class_names)} {percent(float(p.max()))}"
        for who, p in (("black box", whole), ("approximator", chosen))
    ]
    frames = np.full((3, 3), 255, np.uint8)
    frames[2] = frame_colours(agreement(whole[None], chosen[None]))[0]
    captions = [told[0], "where the explainer looks", told[1]]
    write_sheet(path, np.concatenate(drawn), "", captions, frames, columns=3)


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


def _heated(tiles: Pixels, maps: ArrayLike) -> Pixels:
    """Lay maps (N, H, W), each divided by its largest value, over pictures (N, H, W, 3)."""
    pairs = zip(tiles, _maps_of(tiles, maps), strict=True)
    return np.stack([overlay(tile, scale_to_peak(one)) for tile, one in pairs])


def _unveiled(tiles: Pixels, masks: ArrayLike) -> Pixels:
    """Lay a veil over what masks (N, H, W), or (N, C, H, W), hide of pictures (N, H, W, 3)."""
    array = np.asarray(masks, dtype=np.float32)
    array = array[:, None] if array.ndim == 3 else array
    shown = np.stack([_maps_of(tiles, channel) for channel in array.swapaxes(0, 1)], axis=3)
    veiled = 0.3 * tiles + 0.7 * HIDDEN
    drawn: Pixels = np.round(shown * tiles + (1 - shown) * veiled).astype(np.uint8)
    return drawn


def _class_name(index: int, class_names: Sequence[str] | None) -> str:
    return str(index) if class_names is None else class_names[index]


def _maps_of(tiles: Pixels, maps: ArrayLike) -> Floats:
    array = np.asarray(maps, dtype=np.float32)
    if array.shape != tiles.shape[:3]:
        raise DataError(
            f"Maps of {len(tiles)} pictures of {tiles.shape[1]}×{tiles.shape[2]} pixels have shape "
            f"{tiles.shape[:3]}; got {array.shape}. Give every pixel the value of its chunk."
        )
    return array
