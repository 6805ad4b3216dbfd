"""From work directories to pages: what belongs together, where pages go, what is refused."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from input_iba.cli.main import main
from input_iba.errors import DataError, EvaluationError
from input_iba.report import report_evaluation, report_folders, write_report
from input_iba.report.gather import gather
from input_iba.report.rows import DRAWN
from input_iba.results import WorkDir
from tests.report.work_dirs import EVIL, make_result, make_run

IDS = ["a/1", "b 50%#", "c"]
SCORES = {"a/1": 0.25, "b 50%#": -0.5}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "runs" / "own", IDS, failed={EVIL: EVIL}).root


def links(page: Path) -> list[str]:
    found = re.findall(r'(?:src|href)="(\./[^"]+)"', page.read_text(encoding="utf-8"))
    return [unquote(unescape(link)) for link in found]


def test_all_links_lead_somewhere(run: Path) -> None:
    page = report_folders([run])
    assert page == run / "report.html"
    assert len(links(page)) > 10 * len(IDS)
    assert all((page.parent / link).is_file() for link in links(page))


def test_links_are_relative_to_wherever_the_page_is(run: Path, tmp_path: Path) -> None:
    page = report_folders([run], tmp_path / "else where" / "page.html")
    assert len(links(page)) > 10 * len(IDS)
    assert all((page.parent / link).is_file() for link in links(page))


def test_a_run_reports_its_samples_in_order_with_a_table(run: Path) -> None:
    table, page = write_report(WorkDir(run, resume=True), reversed(IDS))
    assert re.findall(r'data-id="([^"]+)"', page.read_text()) == list(reversed(IDS))
    assert [line.split()[0] for line in table.splitlines()] == ["sample", "c", "b", "a/1"]


def test_results_in_the_work_directory_can_be_sorted_by(run: Path) -> None:
    make_result(run / "insdel.json", Path("moved/since/input_masks"), SCORES)
    report, _ = gather([run], run / "report.html")
    [source] = report.sources
    name = "insertion_deletion difference"
    assert {row.id: row.scores.get(name) for row in source.rows if not row.failure} == {
        **SCORES,
        "c": None,
    }
    [measured] = report.evaluations
    assert measured.source == "own"
    assert measured.chart is not None
    assert [line.label for line in measured.chart.lines] == [
        "insertion, higher is better",
        "deletion, lower is better",
    ]


def test_two_results_of_one_metric_are_told_apart(run: Path) -> None:
    for name in ("coarse", "fine"):
        make_result(run / f"{name}.json", run / "input_masks", SCORES)
    report, _ = gather([run], run / "report.html")
    scores = report.sources[0].rows[0].scores
    assert {"insertion_deletion difference (coarse)", "insertion_deletion difference (fine)"} < {
        *scores
    }


def test_scores_of_feature_masks_are_not_those_of_the_samples(run: Path) -> None:
    make_result(run / "features.json", run / "feat_masks", SCORES)
    report, _ = gather([run], run / "report.html")
    assert report.sources[0].rows[0].scores == {}
    assert report.evaluations[0].source == "own/feat_masks"


def test_an_evaluation_elsewhere_shows_the_samples_that_it_scored(
    run: Path, tmp_path: Path
) -> None:
    results = make_result(tmp_path / "results" / "x.json", run / "input_masks", SCORES).parent
    page = report_evaluation(results)
    assert page == results / "report.html"
    assert all((page.parent / link).is_file() for link in links(page))
    assert re.findall(r'data-id="([^"]+)"', page.read_text()) == IDS


def test_an_evaluation_of_maps_of_another_tool_shows_metrics_alone(tmp_path: Path) -> None:
    results = make_result(tmp_path / "x.json", tmp_path / "nowhere", {"a": 0.5}, skipped={"b": "r"})
    page = report_evaluation(results.parent)
    assert page is not None
    text = page.read_text()
    assert "No sample is explained." in text
    assert "nowhere" in text
    assert "<code>b</code> r" in text


def test_several_runs_and_an_evaluation_side_by_side(run: Path) -> None:
    other = make_run(run.parent / "grad_cam", IDS[1:], method="grad_cam").root
    results = make_result(run.parent / "results" / "x.json", other, SCORES).parent
    page = report_folders([run, other, results])
    assert page == run.parent / "report.html"
    report, runs = gather([run, other, results], page, ["ours", "theirs", "scores"])
    assert runs == [run, other]
    assert [source.name for source in report.sources] == ["ours", "theirs"]
    assert report.evaluations[0].source == "theirs"
    assert [len(found) for found in report.samples().values()] == [1, 2, 2]
    assert all((page.parent / link).is_file() for link in links(page))


def test_work_directories_of_earlier_releases_get_what_they_lack(run: Path) -> None:
    log = run / "records.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for record in lines:
        for kind in DRAWN:
            if kind in record["files"]:
                (run / record["files"].pop(kind)).unlink()
    log.write_text("".join(json.dumps(record) + "\n" for record in lines))
    page = report_folders([run])
    shown = [link for link in links(page) if link.startswith(("./overlays/", "./prior_masks/"))]
    assert sum(link.endswith(".png") for link in shown) == len(IDS)
    assert all((page.parent / link).is_file() for link in links(page))


def test_a_picture_that_cannot_be_made_is_left_out(run: Path) -> None:
    log = run / "records.jsonl"
    text = log.read_text()
    record = json.loads(text.splitlines()[0])
    (run / record["files"]["input_mask"]).write_bytes(b"broken")
    (run / record["files"].pop("heat")).unlink()
    log.write_text(json.dumps(record) + "\n" + "\n".join(text.splitlines()[1:]) + "\n")
    page = report_folders([run])
    assert page.read_text().count('class="heat"') == len(IDS) - 1


def test_foreign_and_broken_files_are_passed_over(run: Path) -> None:
    (run / "notes.json").write_text('{"metric": "homemade"}')
    (run / "broken.json").write_text('{"metric": ')
    (run / "other.json").write_text("[1, 2]")
    report, _ = gather([run], run / "report.html")
    assert report.evaluations == []


def test_a_folder_with_nothing_to_show_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path / "absent", tmp_path):
        with pytest.raises(DataError, match="neither the work directory of a run"):
            report_folders([folder])
    assert report_evaluation(tmp_path) is None


def test_runs_without_a_place_in_common_ask_for_one(run: Path) -> None:
    inner = make_run(run / "inner", IDS).root
    with pytest.raises(DataError, match="--out"):
        report_folders([run, inner])


def test_names_must_fit(run: Path) -> None:
    with pytest.raises(EvaluationError, match="one name of its own"):
        report_folders([run], names=["a", "b"])


def test_the_command_says_where_the_page_is(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(run), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == f"Report: {tmp_path / 'out' / 'report.html'}\n"
    assert main(["report", str(tmp_path)]) == 2
    assert "neither the work directory" in capsys.readouterr().err
