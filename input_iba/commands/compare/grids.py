"""The columns of a comparison as tables of texts."""

from __future__ import annotations

from collections.abc import Sequence

from input_iba.commands.compare.compared import Column, Difference
from input_iba.commands.compare.methods import Method
from input_iba.drawing import Grid
from input_iba.drawing.tables import UNKNOWN, interval

ARROWS = {True: " ↑", False: " ↓", None: ""}
DIRECTIONS = {True: "higher is better", False: "lower is better", None: "neither is better"}


def overview(methods: Sequence[Method], columns: Sequence[Column]) -> Grid:
    """Return one row per method, with mean and rank under every key."""
    rows, best = [], set()
    for i, method in enumerate(methods):
        standings = [column.standings[method.name] for column in columns]
        row = [method.name, *(f"{s.summary.mean:.3f} (#{s.rank})" for s in standings)]
        rows.append([*row, _seconds(standings[0].seconds)])
        best |= {(i, j) for j, standing in enumerate(standings, 1) if standing.rank == 1}
    head = [f"{column.metric} {column.key}{ARROWS[column.higher_is_better]}" for column in columns]
    return Grid(
        "Overview",
        ["method", *head, "s per sample"],
        rows,
        frozenset(best),
        "Mean and rank; ↑ higher is better, ↓ lower is better. Below, intervals are percentile "
        "bootstraps over samples; differences and p-values (sign-flip test) are paired, and Holm "
        "corrects them for the number of methods.",
    )


def detail(column: Column, against: str) -> Grid:
    """Return one row per method under one key, the best first."""
    ordered = sorted(column.standings.items(), key=lambda item: item[1].rank or 0)
    rows = [
        [
            name,
            UNKNOWN if standing.rank is None else str(standing.rank),
            f"{standing.summary.mean:.4f}",
            interval(standing.summary.low, standing.summary.high),
            str(standing.summary.n),
            _seconds(standing.seconds),
            *_difference(standing.difference),
        ]
        for name, standing in ordered
    ]
    head = ["method", "rank", "mean", "95 % interval", "n", "s per sample"]
    head += [f"difference from {against}", "95 % interval", "p", "p (Holm)"]
    direction = DIRECTIONS[column.higher_is_better]
    best = frozenset((i, 2) for i, (_, standing) in enumerate(ordered) if standing.rank == 1)
    return Grid(f"{column.metric} {column.key}, {direction}", head, rows, best)


def _seconds(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else f"{seconds:.3g}"


def _difference(difference: Difference | None) -> list[str]:
    if difference is None:
        return [UNKNOWN] * 4
    summary = difference.summary
    numbers = [f"{summary.mean:+.4f}", interval(summary.low, summary.high, "+")]
    return [*numbers, _p(difference.p), _p(difference.p_holm)]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
