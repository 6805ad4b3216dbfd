"""The tables of a benchmark: `BENCHMARK.md`, and `benchmark.html` with the maps of some samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from pathlib import Path

from input_iba.commands.benchmark.cells import SIGNIFICANT, Cell, level_cells, lost, mean_ranks
from input_iba.commands.benchmark.results import NetworkResult
from input_iba.commands.compare.report import ARROWS
from input_iba.drawing import Grid, as_markdown, as_plain, markdown_text
from input_iba.drawing.tables import UNKNOWN
from input_iba.report.benchmark_page import BenchmarkPage, Section, benchmark_page
from input_iba.results import installed_versions, write_text

LEVEL, BETTER, WORSE = "≈", "▲", "▼"

KEY = (
    f"Means with 95 % bootstrap intervals over samples, the best in bold; {LEVEL} level with it "
    f"(not significantly worse), {BETTER} significantly better and {WORSE} significantly worse "
    "than {ours}: paired sign-flip tests at "
    f"{SIGNIFICANT:g}, corrected by Holm for the methods of a cell."
)

COST = (
    "Rank: mean over the measures that have a direction. Passes: inputs that came out of the "
    "classifier's end per sample, and gradients that went in there. Seconds compare with each "
    "other only, and with runs on the same machine."
)


def write_report(
    title: str, out: Path, results: Sequence[NetworkResult], missing: Sequence[str]
) -> tuple[str, Path]:
    """Write both files; return the table for a terminal, and the page's path.

    Args:
        title: Of the suite.
        out: Where to.
        results: Networks of which something is known.
        missing: A sentence for each failure, and for each network that is not known or not whole.
    """
    cells = [cell for result in results for cell in result.cells]
    overview = _overview(results, cells)
    sections = [
        Section("All networks", list(missing), [overview] if cells else []),
        *_losses(results),
        *(
            Section(result.name, [result.state, *result.notes], list(_grids(result)), result.cards)
            for result in results
        ),
    ]
    versions = installed_versions()
    page = BenchmarkPage(
        title=title,
        facts={
            "Networks": ", ".join(result.name for result in results),
            "Cells": str(sum(bool(cell.ranks) for cell in cells)),
            "Versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        },
        state="Partial: see what is missing below." if missing else "Complete.",
        complete=not missing,
        sections=sections,
    )
    write_text(out / "BENCHMARK.md", _as_markdown(page))
    write_text(out / "benchmark.html", benchmark_page(page))
    return "\n".join([*([as_plain(overview)] if cells else []), *missing]), out / "benchmark.html"


def _overview(results: Sequence[NetworkResult], cells: Sequence[Cell]) -> Grid:
    """Return one row per method, the best mean rank first."""
    ranks = mean_ranks(cells)
    by_network = [mean_ranks(result.cells) for result in results]
    rows = []
    for name, (rank, count) in sorted(ranks.items(), key=lambda item: item[1]):
        row = [name, f"{rank:.2f}", str(count), _share(*level_cells(cells, name))]
        rows.append([*row, *(f"{of[name][0]:.2f}" if name in of else UNKNOWN for of in by_network)])
    head = ["method", "mean rank", "cells", "best or level", *(result.name for result in results)]
    columns = {1: ranks, **dict(enumerate(by_network, 4))}
    best = {(i, j) for j, found in columns.items() for i in _lowest(found, [r[0] for r in rows])}
    note = (
        "Mean rank over all cells that rank a method, and over those of each network; 1 would be "
        "the best of all by every measure. Best or level: share of these cells in which a method "
        "is the best or not significantly worse."
    )
    return Grid("Mean ranks", head, rows, frozenset(best), note)


def _lowest(ranks: Mapping[str, tuple[float, int]], names: Sequence[str]) -> set[int]:
    """Return the rows of the best mean rank."""
    lowest = min((rank for rank, _ in ranks.values()), default=0)
    return {i for i, name in enumerate(names) if name in ranks and ranks[name][0] == lowest}


def _share(count: int, total: int) -> str:
    return f"{count / total:.0%} ({count} of {total})" if total else UNKNOWN


def _losses(results: Sequence[NetworkResult]) -> Iterator[Section]:
    """Yield where our method is significantly worse than the best, and where level but behind."""
    for title, level in (
        ("Cells in which our method is significantly worse than the best", False),
        ("Cells in which our method is level with a better mean", True),
    ):
        found = chain.from_iterable(lost(result.cells, result.ours, level) for result in results)
        yield Section(title, list(found) or ["None."])


def _grids(result: NetworkResult) -> Iterator[Grid]:
    """Yield the ranks and costs of a network's methods, and their means by each metric."""
    ranks = mean_ranks(result.cells)
    names = sorted(result.costs, key=lambda name: ranks.get(name, (float("inf"), 0)))
    rows = []
    for name in names:
        cost, row = result.costs[name], [name]
        row.append(f"{ranks[name][0]:.2f}" if name in ranks else UNKNOWN)
        row.append(_share(*level_cells(result.cells, name)))
        rows.append([*row, *map(_number, (cost.forward, cost.backward, cost.seconds))])
    head = ["method", "mean rank", "best or level", "passes forward", "backward", "seconds"]
    best = frozenset((i, 1) for i in _lowest(ranks, names))
    yield Grid(f"{result.name}: ranks and cost", head, rows, best, COST)
    for metric, group in groupby(result.cells, key=lambda cell: cell.metric):
        yield _measured(f"{result.name}: {metric}", list(group), names, result.ours)


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _measured(title: str, cells: Sequence[Cell], names: Iterable[str], ours: str) -> Grid:
    """Return the means of all methods under the keys of one metric."""
    rows, against = list(names), [cell.p_against(ours) for cell in cells]
    shown = [
        [name, *(_cell(cell, name, ours, p) for cell, p in zip(cells, against, strict=True))]
        for name in rows
    ]
    best = {
        (i, j)
        for j, cell in enumerate(cells, 1)
        for i, name in enumerate(rows)
        if cell.ranks and cell.ranks[name] == min(cell.ranks.values())
    }
    counts = ", ".join(sorted({str(cell.n) for cell in cells}))
    head = ["method", *(f"{cell.key}{ARROWS[cell.higher]}" for cell in cells)]
    return Grid(title, head, shown, frozenset(best), f"n = {counts}. {KEY.format(ours=ours)}")


def _cell(cell: Cell, name: str, ours: str, p: dict[str, float]) -> str:
    found = cell.summaries[name]
    text = f"{found.mean:.3f}"
    if found.low is not None:
        text += f" ({found.low:.3f}, {found.high:.3f})"
    if name in cell.level and cell.ranks[name] > min(cell.ranks.values()):
        text += f" {LEVEL}"
    if cell.goodness and p.get(name, 1) < SIGNIFICANT:
        text += f" {BETTER if cell.goodness[name] > cell.goodness[ours] else WORSE}"
    return text


def _as_markdown(page: BenchmarkPage) -> str:
    lines = [f"# {markdown_text(page.title)}", ""]
    lines += [f"- {label}: {markdown_text(value)}" for label, value in page.facts.items()]
    lines += ["", page.state]
    for section in page.sections:
        lines += ["", f"## {markdown_text(section.title)}", ""]
        lines += [f"- {markdown_text(line)}" for line in section.lines]
        lines += [f"\n#{as_markdown(grid)}" for grid in section.grids]
    return "\n".join([*lines, ""])
