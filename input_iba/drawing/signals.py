"""Signals as lines in the colours of a mask."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap

from input_iba.drawing.heat_map import SATURATED, SIGNED_COLOUR_MAP, Floats, Pixels, scale_to_range

MAX_CURVES = 12
"""Channels that are drawn, one above the other."""

BINS = 1000
"""Parts along a longer signal, of each of which the least and the greatest value are drawn."""

HEAT = LinearSegmentedColormap.from_list("heat", ["#b4b4b4", "#e96228", "#7a0403"])
"""From cold to hot on a white ground, where the bright end of other colour maps would not show."""

WIDTH, HEIGHT, PER_CURVE = 7.0, 0.7, 0.6
"""Inches of a drawing: wide, and high with no curve, and more for each."""


def coloured_signal(values: Floats, mask: Floats, held: float = 1.0) -> Pixels:
    """Draw the channels of a signal (C, T) one above the other in a mask's colours, (T,).

    The hotter, the darker and the thicker is the line. A mask with negative values, which speak
    against the target, is drawn in blue where it has them. By `held` the heat is multiplied.

    Returns:
        (H, W, 3), uint8.

    >>> coloured_signal(np.zeros((2, 5)), np.arange(5.0)).shape
    (190, 700, 3)
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    shares, colours = _shares(mask, held)
    curves, places, shares = _thinned(values[:MAX_CURVES], shares)
    strength = np.abs(shares - (0 if colours is HEAT else 0.5))
    order = np.argsort(strength)  # what is hot lies over what is not
    figure = Figure(figsize=(WIDTH, HEIGHT + PER_CURVE * len(curves)), layout="constrained")
    canvas, axis = FigureCanvasAgg(figure), figure.subplots()
    for i, curve in enumerate(curves):
        height = scale_to_range(curve.astype(np.float64)) * 0.9 + len(curves) - 1 - i
        points = np.stack([places, height], axis=1)
        # Both ends of a line that joins two values have half of it in the colour of their own.
        middles = np.concatenate([points[:1], (points[1:] + points[:-1]) / 2, points[-1:]])
        lines = np.stack([middles[:-1], points, middles[1:]], axis=1)[order]
        found = LineCollection(list(lines), cmap=colours, array=shares[order], capstyle="round")
        found.set_clim(0, 1)
        found.set_snap(False)  # or what is shorter than a pixel vanishes
        found.set_linewidth(1 + 2 * strength[order])
        axis.add_collection(found)
    axis.set(xlim=(0, max(values.shape[1] - 1, 1)), ylim=(-0.1, len(curves)), yticks=[])
    axis.spines[["left", "right", "top"]].set_visible(False)
    axis.tick_params(labelsize=8)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels: Pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(pixels[..., :3])


def _shares(mask: Floats, held: float) -> tuple[Floats, Colormap]:
    """Return a mask (T,) stretched to [0, 1], and the colours of that."""
    if (mask < 0).any():
        strong = np.quantile(np.abs(mask[mask != 0]), 1 - SATURATED)
        return np.clip((held * mask / strong + 1) / 2, 0, 1), colormaps[SIGNED_COLOUR_MAP]
    return held * scale_to_range(mask.astype(np.float64)), HEAT


def _thinned(values: Floats, shares: Floats) -> tuple[Floats, Floats, Floats]:
    """Return curves (C, n), the places of their values, (n,), and the shares there, (n,)."""
    length = values.shape[1]
    if length <= 2 * BINS:
        return values, np.arange(length, dtype=np.float64), shares
    edges = np.linspace(0, length, BINS + 1).astype(int)
    least, most = (extreme.reduceat(values, edges[:-1], 1) for extreme in (np.minimum, np.maximum))
    curves = np.stack([least, most], axis=2).reshape(len(values), -1)
    places = (edges[:-1] + np.diff(edges) / 2).repeat(2)
    strongest = np.maximum.reduceat(shares, edges[:-1])
    return curves, places, strongest.repeat(2)
