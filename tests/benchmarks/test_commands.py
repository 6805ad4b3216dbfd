"""The benchmarks run to their end and write what they print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import attribution, metric_cost, one_pass, reviews, scaling


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


def test_explainers_are_timed_against_the_classifier(capsys: pytest.CaptureFixture[str]) -> None:
    one_pass.main(["--model", "resnet8", "--batch", "2", "--repeats", "1"])
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("resnet8, 2 at once, auto: ")
    assert all(float(part.split()[0]) > 0 for part in line.split(": ")[1].split(", ")[:2])
