"""Benchmarks of tiny networks on tiny pictures: cached, gone on with, failing in part."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from input_iba.cli.main import main
from input_iba.commands.benchmark.options import BenchmarkOptions
from input_iba.commands.benchmark.results import NetworkResult
from input_iba.commands.benchmark.run import run_benchmark
from input_iba.commands.benchmark.suite import load_suite
from input_iba.results import Entry, RecordLog, RowLog
from tests.commands.evaluating import prepare
from tests.commands.evaluating_texts import prepare_texts

METHODS = ["input_iba", "iba", "gradient", "random"]
METRICS: list[Any] = [{"type": "insertion_deletion", "pixel_batch_size": 128}]
PLAIN = ("--device", "cpu", "--no-pbar")
ROOT = Path(__file__).parents[3]


def network(config: Path, **keys: Any) -> dict[str, Any]:
    """Return a network of a suite with few methods and one metric."""
    return {
        "name": "Tiny",
        "config": str(config),
        "scores_threshold": 0.0,
        "methods": METHODS,
        "metrics": METRICS,
        **keys,
    }


def write_suite(root: Path, *networks: dict[str, Any]) -> Path:
    """Write a suite."""
    path = root / "mine.py"
    path.write_text(f"title = 'Tiny networks'\nnetworks = {networks!r}\n")
    return path


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Return the config of a tiny network on four mosaics of one picture per class."""
    return prepare(tmp_path).config


def run(suite: Path, out: Path, *options: str) -> int:
    """Run the command here."""
    return main(["benchmark", str(suite), "--out", str(out), *PLAIN, *options])


def result(out: Path, name: str = "Tiny") -> NetworkResult:
    """Return what a network's folder holds."""
    found = NetworkResult.read(out / name)
    assert found is not None
    return found


def tables(out: Path) -> str:
    """Return the Markdown without what differs from run to run: seconds and passes."""
    text = (out / "BENCHMARK.md").read_text()
    return "\n".join(line for line in text.splitlines() if line.count("|") != 7)


@pytest.mark.slow
def test_a_suite_is_explained_scored_and_summed_up(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(write_suite(tmp_path, network(tiny)), out) == 0
    found = result(out)
    assert found.complete
    assert [cell.key for cell in found.cells] == ["ins_auc", "del_auc", "difference"]
    assert all(cell.n == 4 and list(cell.scores) == METHODS for cell in found.cells)
    assert {path.name for path in (out / "Tiny").iterdir() if path.is_dir()} == {
        *("input_iba", "gradient", "random", "compare")
    }
    compared = json.loads((out / "Tiny/compare/compare.json").read_text())
    for cell in found.cells:
        means = compared["metrics"]["insertion_deletion"]["keys"][cell.key]["methods"]
        assert {name: v.mean for name, v in cell.summaries.items()} == pytest.approx(
            {name: v["mean"] for name, v in means.items()}
        )
    costs = found.costs
    assert costs["iba"].forward is None  # its stage alone was not counted
    assert (costs["random"].backward, costs["gradient"].backward) == (0, 1)
    forward = costs["input_iba"].forward
    assert forward is not None and forward >= 2 * (2 + 2)  # K = 2 for two steps of both stages
    assert all(cost.seconds is not None for cost in costs.values())
    text = (out / "BENCHMARK.md").read_text()
    assert "Complete." in text and "## Tiny" in text and "n = 4." in text
    page = (out / "benchmark.html").read_text()
    assert page.count("<figure>") == 4 * (1 + len(METHODS))


@pytest.mark.slow
def test_what_is_added_is_computed_and_nothing_else(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, scored, append = tmp_path / "out", list[tuple[str, str]](), RowLog.append

    def counted(log: RowLog, *found: Entry) -> None:
        scored.append((log.path.parent.name, log.path.name.partition(".")[0]))
        append(log, *found)

    monkeypatch.setattr(RowLog, "append", counted)
    few = network(tiny, methods=["input_iba", "gradient"])
    assert run(write_suite(tmp_path, few), out) == 0
    assert set(scored) == {("insertion_deletion", name) for name in ("input_iba", "gradient")}
    records = (out / "Tiny/input_iba/records.jsonl").read_bytes()
    scored.clear()
    assert run(write_suite(tmp_path, few), out) == 0
    assert scored == []
    more = [*METRICS, {"type": "degradation", "tile_size": 8}]
    suite = write_suite(tmp_path, network(tiny, methods=[*few["methods"], "random"], metrics=more))
    assert run(suite, out) == 0
    assert set(scored) == {
        ("insertion_deletion", "random"),
        *(("degradation", name) for name in ("input_iba", "gradient", "random")),
    }
    assert len(scored) == 4 * 4
    assert (out / "Tiny/input_iba/records.jsonl").read_bytes() == records


@pytest.mark.slow
def test_a_killed_benchmark_goes_on_to_the_same_tables(tiny: Path, tmp_path: Path) -> None:
    suite = write_suite(tmp_path, network(tiny))
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    command = [sys.executable, "-m", "input_iba.cli.main", "benchmark", str(suite), *PLAIN]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = subprocess.Popen(
            [*command, "--out", str(parted)],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        own = "random" if number == signal.SIGKILL else "input_iba"
        log, deadline = RecordLog(parted / "Tiny" / own / "records.jsonl"), time.monotonic() + 120
        while not log.load() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert process.returncode == (143 if number == signal.SIGTERM else -9), said
        if number == signal.SIGTERM:
            assert "Partial" in (parted / "BENCHMARK.md").read_text()
            assert "Tiny: not computed yet." in (parted / "BENCHMARK.md").read_text()
            assert "continue with the same command." in said and "--resume" not in said
    for out in (whole, parted):
        done = subprocess.run(
            [*command, "--out", str(out)], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Mean ranks" in done.stdout
    assert tables(parted) == tables(whole)
    assert "Complete." in tables(whole)


@pytest.mark.slow
def test_one_failure_does_not_lose_the_rest(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No checkpoint for one network, and a layer of a rival that the other does not have."""
    absent = {"attributor.classifier.pretrained": str(tmp_path / "absent.pth")}
    broken = network(tiny, name="Broken", cfg_options=absent)
    cam = {"type": "grad_cam", "layer": "layer9"}
    suite = write_suite(tmp_path, broken, network(tiny, methods=["input_iba", cam, "random"]))
    out = tmp_path / "out"
    assert run(suite, out) == 1
    found = result(out)
    assert not found.complete
    assert set(found.costs) == {"input_iba", "random"}
    text = (out / "BENCHMARK.md").read_text()
    assert "Partial" in text and "absent.pth" in text
    assert "Tiny, grad\\_cam failed: Layer 'layer9' not found" in text
    assert "Broken: not computed yet." in text
    assert "layer9" in capsys.readouterr().err
    assert run(write_suite(tmp_path, network(tiny, methods=["input_iba", "random"])), out) == 0
    assert "Complete." in (out / "BENCHMARK.md").read_text()


@pytest.mark.slow
def test_a_changed_config_is_refused_with_the_difference(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = network(tiny, methods=["input_iba", "random"])
    assert run(write_suite(tmp_path, given), out) == 0
    changed = {**given, "cfg_options": {"attribution_cfg.input_iba.beta": 7}}
    assert run(write_suite(tmp_path, changed), out) == 1
    text = (out / "BENCHMARK.md").read_text()
    assert "cannot be continued" in text and "7" in text


@pytest.mark.slow
def test_metrics_that_explain_again_do_so_by_each_method(tiny: Path, tmp_path: Path) -> None:
    """Two seeds change what is drawn, and not a gradient."""
    metrics = [{"type": "seed_agreement", "n_estimation": 4}]
    given = network(tiny, methods=["input_iba", "iba", "gradient", "random"], metrics=metrics)
    out = tmp_path / "out"
    assert run(write_suite(tmp_path, given), out) == 0
    [first, _] = result(out).cells
    means = {name: found.mean for name, found in first.summaries.items()}
    assert means["gradient"] == pytest.approx(1)
    assert abs(means["random"]) < 0.1
    assert means["input_iba"] != means["iba"]


@pytest.mark.slow
def test_texts_are_benchmarked_and_networks_chosen(tiny: Path, tmp_path: Path) -> None:
    texts = prepare_texts(tmp_path / "texts")
    of_texts = network(
        texts.config,
        name="Words",
        methods=["input_iba", "int_grad"],
        metrics=[{"type": "nlp_insertion_deletion", "keys": ["difference"]}],
        examples=2,
    )
    suite, out = write_suite(tmp_path, network(tiny), of_texts), tmp_path / "out"
    assert run(suite, out, "--networks", "Words") == 0
    found = result(out, "Words")
    assert [cell.key for cell in found.cells] == ["difference"]
    assert [caption for caption, *_ in found.cards[0].texts] == ["input_iba", "int_grad"]
    assert "Tiny: not computed yet." in (out / "BENCHMARK.md").read_text()
    assert run_benchmark(
        load_suite(suite), BenchmarkOptions(out=out, device="cpu", progress_bar=False)
    ).text.count("Tiny")
    assert "Complete." in (out / "BENCHMARK.md").read_text()
