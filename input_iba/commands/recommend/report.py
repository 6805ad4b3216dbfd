"""What a search found: tables, a picture of what was tried, and maps before and after."""

from __future__ import annotations

from pathlib import Path

from input_iba.attribution.recommend.recommendation import Recommendation
from input_iba.attribution.recommend.trials import Trials
from input_iba.commands.compare.cards import card_of
from input_iba.config.load import RunConfig
from input_iba.drawing import Chart, Line, as_markdown, share_line, write_charts
from input_iba.evaluation.halving import PRESENT, in_words
from input_iba.report.benchmark_page import BenchmarkPage, Section, benchmark_page
from input_iba.report.comparison_page import Card
from input_iba.results import installed_versions, write_text

CHARTED = 7
"""Candidates that the picture names."""


def write_report(
    root: Path, config: RunConfig, found: Recommendation, trials: Trials, examples: int
) -> Path:
    """Write `recommend.md`, `.png` and `.html`; return the path of the page."""
    grids = found.grids()
    write_text(root / "recommend.md", "\n\n".join([*map(as_markdown, grids), ""]))
    write_charts(root / "recommend.png", _charts(found), f"Settings for {config.path.stem}")
    versions = installed_versions()
    page = BenchmarkPage(
        title=f"Recommended for {config.path.stem}",
        facts={
            "Setting": in_words(found.changes),
            "Present": f"layer {config.layer}, preset {config.preset or '–'}",
            "Versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
        },
        state=found.verdict(),
        complete=True,
        sections=[
            Section("Measured", grids=grids),
            Section("Maps of samples held out", cards=_cards(found, trials, examples)),
        ],
    )
    write_text(root / "recommend.html", benchmark_page(page))
    return root / "recommend.html"


def _charts(found: Recommendation) -> list[Chart]:
    """Return what candidates cost and are worth, and how samples held out fare."""
    points = []
    for one in found.tried[:CHARTED]:
        seconds = sum(float(row["seconds"]) for row in one.rows) / len(one.rows)
        points.append(Line(in_words(one.changes), [seconds], [one.value]))
    pairs = [("as it is", found.now)]
    if found.searched != PRESENT:
        pairs.append((in_words(found.searched), found.then))
    lines = [share_line(name, [float(row["difference"]) for row in rows]) for name, rows in pairs]
    share = "share of samples at least so high"
    return [
        Chart("Tried", "seconds per sample", "value", points),
        Chart("On samples held out", "insertion − deletion", share, lines),
    ]


def _cards(found: Recommendation, trials: Trials, examples: int) -> list[Card]:
    """Return the maps of the last samples, by the present setting and by the one found."""
    cases = list(trials.cases)[-examples:] if examples else []
    settings = [PRESENT] if found.searched == PRESENT else [PRESENT, found.searched]
    maps = [trials.maps(setting, [PRESENT], cases)[0] for setting in settings] if cases else []
    cards = []
    for sample in (case.sample for case in cases):
        drawn = [
            (in_words(setting), of[sample.id][0].numpy())
            for setting, of in zip(settings, maps, strict=True)
            if sample.id in of
        ]
        cards.append(card_of(sample, drawn, ""))
    return cards
