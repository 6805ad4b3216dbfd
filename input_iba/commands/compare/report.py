"""The result of a comparison: `compare.json`, `compare.md` and `compare.html`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from input_iba.commands.compare.cards import drawn_cards
from input_iba.commands.compare.compared import Column, Compared, Difference, Standing
from input_iba.commands.compare.methods import Method
from input_iba.commands.evaluate.samples import tied_maps
from input_iba.core.precision import precision_name
from input_iba.drawing import Grid, as_markdown, as_plain, markdown_text
from input_iba.drawing.tables import UNKNOWN, interval
from input_iba.evaluation import Metric
from input_iba.report.comparison_page import Card, ComparisonPage, comparison_page
from input_iba.results import installed_versions, write_json, write_text

ARROWS = {True: " ↑", False: " ↓", None: ""}
DIRECTIONS = {True: "higher is better", False: "lower is better", None: "neither is better"}

MAX_CARDS = 40
"""Samples whose maps the page shows: a browser should open it at once."""


def write_report(compared: Compared) -> tuple[str, Path]:
    """Write the three files; return the table for a terminal, and the page's path."""
    out, columns = compared.options.out, compared.columns
    write_json(out / "compare.json", _as_json(compared))
    grids = [_overview(compared.methods, columns)] if columns else []
    details = [_detail(column, compared.reference.name) for column in columns]
    cards, note = _cards(compared)
    page = ComparisonPage(
        title=f"{len(compared.methods)} methods on "
        f"{Path(compared.methods[0].manifest.config_file).stem}",
        facts=_facts(compared),
        state=compared.state,
        complete=compared.complete,
        grids=[*grids, *details],
        left_out=list(compared.left_out()),
        cards=cards,
        cards_note=note,
    )
    write_text(out / "compare.md", _as_markdown(page))
    write_text(out / "compare.html", comparison_page(page))
    lines = [*map(as_plain, grids), page.state, *page.left_out]
    return "\n".join(lines), out / "compare.html"


def _facts(compared: Compared) -> dict[str, str]:
    options, context = compared.options, compared.context
    return {
        "Metrics": ", ".join(metric.name for metric in compared.metrics),
        "Compared with": compared.reference.name,
        "Target probability at least": f"{options.scores_threshold:g}",
        "Seed": str(options.seed),
        "Precision": precision_name(context.autocast),
        "Classifier (hash)": context.fingerprints["classifier"][:12],
        "Samples (hash)": context.fingerprints["data"][:12],
    }


def _as_json(compared: Compared) -> dict[str, Any]:
    selection = compared.selection
    return {
        "complete": compared.complete,
        "methods": {
            method.name: {
                "work_dir": str(method.root),
                "maps": str(method.folder),
                "config_hash": method.manifest.identity.config,
                "seed": method.manifest.identity.seed,
            }
            for method in compared.methods
        },
        "against": compared.reference.name,
        "samples": {
            "data_set": selection.total,
            "selected": len(selection.ids),
            "without_map": list(selection.missing),
        },
        "left_out": list(compared.left_out()),
        "metrics": {metric.name: _metric_json(compared, metric) for metric in compared.metrics},
        "made_with": {
            **compared.context.fingerprints,
            "scores_threshold": compared.options.scores_threshold,
            "allow_missing": compared.options.allow_missing,
            "seed": compared.options.seed,
            "precision": precision_name(compared.context.autocast),
            "versions": installed_versions(),
        },
    }


def _metric_json(compared: Compared, metric: Metric) -> dict[str, Any]:
    names = [method.name for method in compared.methods]
    columns = [column for column in compared.columns if column.metric == metric.name]

    def reasons(status: str) -> dict[str, dict[str, str]]:
        found = {name: compared.reasons((metric.name, name), status) for name in names}
        return {name: why for name, why in found.items() if why}

    return {
        "settings": metric.settings(),
        "keys": {
            column.key: {
                "higher_is_better": column.higher_is_better,
                "methods": {name: _plain(found) for name, found in column.standings.items()},
            }
            for column in columns
        },
        "tied": {name: tied_maps(compared.entries[metric.name, name].values()) for name in names},
        "skipped": reasons("skipped"),
        "failed": reasons("failed"),
        "rows": {
            name: {
                id_: metric.values(entry.row)
                for id_, entry in compared.entries[metric.name, name].items()
                if entry.status == "scored"
            }
            for name in names
        },
    }


def _plain(standing: Standing) -> dict[str, Any]:
    return {key: v for key, v in asdict(standing).items() if key != "difference" or v is not None}


def _overview(methods: Sequence[Method], columns: Sequence[Column]) -> Grid:
    """Return one row per method, with mean and rank under every key."""
    rows, best = [], set()
    for i, method in enumerate(methods):
        standings = [column.standings[method.name] for column in columns]
        row = [method.name, *map(_mean_and_rank, standings)]
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


def _mean_and_rank(standing: Standing) -> str:
    return f"{standing.mean:.3f}" + ("" if standing.rank is None else f" (#{standing.rank})")


def _detail(column: Column, against: str) -> Grid:
    """Return one row per method under one key, the best first."""
    ordered = sorted(column.standings.items(), key=lambda item: item[1].rank or 0)
    rows = [
        [
            name,
            UNKNOWN if standing.rank is None else str(standing.rank),
            f"{standing.mean:.4f}",
            interval(standing.low, standing.high),
            str(standing.n),
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
    numbers = [f"{difference.mean:+.4f}", interval(difference.low, difference.high, "+")]
    p_values = (difference.p, difference.p_holm)
    return [*numbers, *("< 0.001" if p < 0.001 else f"{p:.3f}" for p in p_values)]


def _as_markdown(page: ComparisonPage) -> str:
    lines = [f"# {markdown_text(page.title)}", ""]
    lines += [f"- {label}: {markdown_text(value)}" for label, value in page.facts.items()]
    lines += ["", markdown_text(page.state)]
    lines += ["", *(f"- {markdown_text(line)}" for line in page.left_out)]
    return "\n".join([*lines, "", "\n\n".join(map(as_markdown, page.grids)), ""])


def _cards(compared: Compared) -> tuple[list[Card], str]:
    """Draw the maps of the first samples, and say of how many."""
    cards, total = drawn_cards(compared, MAX_CARDS)
    return cards, f"{len(cards)} of the {total} samples that were scored."
