"""Draw quality against cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Interval = tuple[float, float, float]
"""Mean, and the ends of its 95 % interval."""

TITLES = {"insertion-deletion": "insertion − deletion", "ehr": "effective heat ratio"}


def plot_study(rows: Mapping[str, Mapping[str, Interval]], path: Path) -> None:
    """Draw one panel per metric: a point per setting, its interval, and its name.

    Args:
        rows: By setting: seconds and metrics.
        path: PNG, PDF or SVG to write.
    """
    metrics = [m for m in TITLES if any(m in row for row in rows.values())]
    names = sorted(rows, key=lambda name: rows[name]["seconds"][0])
    figure = Figure(figsize=(5 * len(metrics) + 3, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(metrics), squeeze=False)[0]
    for axis, metric in zip(axes, metrics, strict=True):
        for number, name in enumerate(names, 1):
            if metric not in rows[name]:
                continue
            seconds, (mean, low, high) = rows[name]["seconds"][0], rows[name][metric]
            spread = [[mean - low], [high - mean]]
            label = f"{number}  {name}"
            axis.errorbar(seconds, mean, yerr=spread, fmt="o", elinewidth=0.6, label=label)
            # Settings of equal cost stand side by side: alternate between left and right.
            side = (5, "left") if number % 2 else (-5, "right")
            place = {"xytext": (side[0], 3), "textcoords": "offset points", "ha": side[1]}
            axis.annotate(str(number), (seconds, mean), fontsize=8, **place)
        axis.set(xscale="log", xlabel="seconds per image", ylabel=TITLES[metric])
        axis.set_title("higher is better, with 95 % intervals", fontsize=9)
        axis.grid(alpha=0.3)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)
