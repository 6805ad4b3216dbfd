"""The benchmarks run to their end and write what they print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import attribution, comparison, metric_cost, reviews, scaling
from tests.commands.evaluating_texts import prepare_texts
from tests.tiny_runs import four_pictures


@pytest.mark.slow
def test_cost_is_told_per_sample_and_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cost.json"
    ways = ["fast", "fast, one at a time", "fast, passes alone"]
    attribution.main(
        ["--model", "resnet8", "--samples", "2", "--ways", *ways, "--stages", "--json", str(file)]
    )
    found = json.loads(file.read_text())
    assert [row["name"].split(", ")[-1] for row in found["rows"]] == [
        *("2 at once", "1 at once", "2 at once")
    ]
    for row in found["rows"]:
        assert row["total"] == pytest.approx(sum(row["seconds"].values()))
        assert row["seconds"]["input_iba"] > 0
    printed = capsys.readouterr().out
    assert "resnet8, layer layer1, input 3×32×32" in printed
    assert "forward at the first module" in printed


@pytest.mark.slow
def test_statistics_are_timed_and_memory_is_watched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scaling.json"
    scaling.main(["--model", "resnet8", "--images", "20", "--samples", "2", "--json", str(file)])
    found = json.loads(file.read_text())
    assert found["statistics"] > 0
    assert found["forward"] > 0
    assert list(found["peak_mib"]) == ["1", "2"]
    assert "after    2 samples at most" in capsys.readouterr().out


def test_reviews_are_timed_alone_and_together(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--tokens", "3", "--reviews", "2", "--at-once", "1", "2", "--precision", "fp32"]
    reviews.main(few)
    first, *lines = capsys.readouterr().out.splitlines()
    assert "preset fast, fp32" in first and "3 tokens" in first
    assert [line.split(":")[0].strip() for line in lines] == ["1 at once", "2 at once"]
    for line in lines:
        assert float(line.split(": ")[1].split()[0]) > 0
        assert all(stage in line for stage in ("feature_iba", "input_iba", "rest"))


def test_metrics_are_timed_against_their_forward_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "metrics.json"
    small = ["--pixel-batch-size", "512", "--num-masks", "4", "--repeats", "1"]
    metric_cost.main(["--model", "resnet8", *small, "--json", str(file)])
    found = json.loads(file.read_text())
    assert all(found[name]["ratio"] > 0 for name in ("insertion_deletion", "sensitivity_n"))
    assert "insertion_deletion: 6 forward passes" in capsys.readouterr().out


@pytest.mark.slow
def test_methods_are_explained_and_compared(tmp_path: Path) -> None:
    config_file = four_pictures(tmp_path / "data")
    work_dir = tmp_path / "comparison"
    methods = ["--methods", "input_iba", "random"]
    of_compare = ["--metrics", "insertion_deletion", "--scores-threshold", "0"]
    comparison.main([str(config_file), "--work-dir", str(work_dir), *methods, "--", *of_compare])
    found = json.loads((work_dir / "compare" / "compare.json").read_text())
    assert found["complete"] is True
    assert set(found["methods"]) == {"input_iba", "random"}


def test_texts_are_compared_with_the_tools_for_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = prepare_texts(tmp_path / "texts")
    commands = list[list[str]]()
    monkeypatch.setattr(comparison, "run", lambda command: commands.append(list(command)))
    options = ["--num-samples", "3", "--", "--scores-threshold", "0"]
    comparison.main([str(tiny.config), "--work-dir", "work", *options])
    explained, compared = commands[:-1], commands[-1]
    assert [Path(command[0]).parent.name for command in explained] == ["nlp"] * 6
    names = ["input_iba", "iba", "int_grad", "lime", "random", "input_x_gradient"]
    assert [command[command.index("--work-dir") + 1] for command in explained] == [
        str(Path("work") / name) for name in names
    ]
    assert Path(explained[0][0]).name == "train_nlp.py"
    assert all(command[-2:] == ["--num-samples", "3"] for command in explained)
    assert all(Path(command[0]).is_file() for command in explained)
    at = compared.index("--metrics")
    assert compared[at + 1 : at + 3] == ["nlp_insertion_deletion", "nlp_sensitivity_n"]
    assert compared[-2:] == ["--scores-threshold", "0"]
