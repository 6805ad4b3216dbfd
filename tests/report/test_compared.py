"""The report of a comparison: its methods side by side, with the scores that it found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from input_iba.report import report_folders
from input_iba.report.evaluations import results_in
from input_iba.report.gather import gather
from tests.commands.comparing import cell_maps, compare, random_maps, result, write_work_dir
from tests.commands.evaluating import Evaluated, prepare

METRICS = ("localisation", "insertion_deletion")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """Return the tiny data set, with two methods compared into `out`."""
    made = prepare(tmp_path_factory.mktemp("compared"))
    work_dirs = [
        write_work_dir(made, "perfect", cell_maps(made)),
        write_work_dir(made, "random", random_maps(made, 1)),
    ]
    options = ("--metrics", *METRICS, "--names", "best", "worst", "--pixel-batch-size", "64")
    assert compare(made, work_dirs, *options) == 0
    return made


def test_methods_samples_and_scores_are_those_compared(made: Evaluated) -> None:
    out = made.root / "out"
    report, runs = gather([out], out / "report.html")
    assert runs == [made.root / "perfect", made.root / "random"]
    assert [source.name for source in report.sources] == ["best", "worst"]
    assert list(report.samples()) == made.ids
    found = result(made)["metrics"]["localisation"]
    for source, name in zip(report.sources, ("best", "worst"), strict=True):
        for row in source.rows:
            assert row.scores["localisation mass"] == found["rows"][name][row.id]["mass"]
    measured = report.evaluations[0]
    assert measured.summary["mass"]["mean"] == found["keys"]["mass"]["methods"]["best"]["mean"]
    assert (measured.complete, measured.counts["scored"]) == (True, len(made.ids))


def test_curves_come_from_the_rows_that_are_kept(made: Evaluated) -> None:
    results = results_in(made.root / "out")
    assert [(found.metric, found.name) for found in results] == [
        (metric, name) for metric in METRICS for name in ("best", "worst")
    ]
    charts = [found.chart() for found in results]
    assert all(chart is not None for chart in charts)
    assert report_folders([made.root / "out"]).read_text().count('class="chart"') == len(charts)


def test_a_comparison_without_its_rows_has_no_curves(made: Evaluated, tmp_path: Path) -> None:
    (tmp_path / "compare.json").write_text(json.dumps(result(made)))
    results = results_in(tmp_path)
    assert len(results) == 4
    assert results[2].scores()[made.ids[0]].keys() >= {"ins_auc", "del_auc"}
    assert results[2].chart() is None
