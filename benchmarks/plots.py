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
    figure = Figure(figsize=(7 * len(metrics), 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(metrics), squeeze=False)[0]
    for axis, metric in zip(axes, metrics, strict=True):
        for name, row in rows.items():
            if metric not in row:
                continue
            seconds, (mean, low, high) = row["seconds"][0], row[metric]
            axis.errorbar(
                seconds, mean, yerr=[[mean - low], [high - mean]], fmt="o", capsize=3, alpha=0.8
            )
            axis.annotate(name, (seconds, mean), (4, 4), textcoords="offset points", fontsize=7)
        axis.set(xscale="log", xlabel="seconds per image", ylabel=TITLES[metric])
        axis.set_title("higher is better, with 95 % intervals", fontsize=9)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=130)
