"""What is measured of accelerators and of Ray, on small networks and without either."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import accelerator, ray_scaling
from benchmarks.devices import Bench, Parity, drawn_on_the_cpu
from benchmarks.ray_scaling import Sleep, Span
from input_iba.core.information import clamp_mask
from input_iba.core.noise import NoiseSource
from input_iba.core.optimise import Means
from input_iba.run.on_ray import Done

CPU = torch.device("cpu")


def small() -> Bench:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 4, 3, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(4))
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 5)).eval()
    return Bench("small", CPU, "instant", model, "2", torch.randn(4, 3, 32, 32))


def test_all_that_a_processor_can_tell_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(Bench, "of", lambda *_: small())
    monkeypatch.setattr(Bench, "seconds_of_compiled_passes", lambda _: "no compiler")
    out = tmp_path / "found.json"
    accelerator.main(["--device", "cpu", "--preset", "instant", "--json", str(out)])
    shown = capsys.readouterr().out
    assert "waits a step: none" in shown
    assert "small compiled: no compiler" in shown
    assert "torch finds none here" in shown
    found = json.loads(out.read_text())
    costs = found["efficientnet_lite0"]["costs"]
    assert {cost["at_once"] for cost in costs} == {1, 2}
    assert all(cost["per_second"] > 0 and cost["times"] > 0 for cost in costs)
    [parity] = found["efficientnet_lite0"]["parity"]
    assert parity["what"] == "cpu bf16 beside cpu fp32"
    assert parity["correlation"] > 0.9


def test_a_step_that_waits_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert small().waits_per_step() == {}

    def waiting(lambda_: torch.Tensor) -> torch.Tensor:
        return clamp_mask(lambda_) + 0 * Means(a=lambda_)["a"]

    monkeypatch.setattr("input_iba.core.optimise.clamp_mask", waiting)
    found = small().waits_per_step()
    assert found
    assert all(line.startswith("core/optimise.py") for line in found)


def test_noise_of_the_cpu_is_that_of_every_device() -> None:
    alone = NoiseSource(["a"], 0, "x").antithetic(4, 3)
    with drawn_on_the_cpu():
        there = NoiseSource(["a"], 0, "x", torch.device("meta")).antithetic(4, 3)
        here = NoiseSource(["a"], 0, "x", CPU).antithetic(4, 3)
    assert there.device.type == "meta"
    assert torch.equal(alone, here)


def test_a_parity_says_how_far_it_is_off() -> None:
    said = str(Parity("cuda bf16 beside cpu fp32", 0.99876, 0.0123))
    assert "0.99876 at least" in said
    assert "off by 0.012 of the peak" in said


def test_actors_that_sleep_are_counted_once_all_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray is played: one actor takes up work at 0 s, one at 2 s, and the last piece is alone."""

    def played(work: Sleep, count: int, options: object) -> Iterator[Done[Span]]:
        assert count == 2 * ray_scaling.PIECES
        spans = [(0.0, 1.0, 1), (1.0, 2.0, 1), (2.0, 3.0, 1), (2.0, 3.0, 2), (3.0, 4.0, 2)]
        yield from (Done(i, span) for i, span in enumerate(spans))

    monkeypatch.setattr(ray_scaling, "spread", played)
    found = ray_scaling.efficiency(2, 1.0)
    assert (found["actors"], found["pieces"], found["work"]) == (2, 3, 2.0)
    assert found["efficiency"] == pytest.approx(3 / 4)
    begun, ended, process = Sleep(0.01)()(0)
    assert ended - begun >= 0.009
    assert process == os.getpid()


def test_ways_are_compared_by_their_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run(command: list[str], _threads: int, kill_in: Path | None) -> bool:
        out = Path(command[command.index("--work-dir") + 1])
        (out / "maps").mkdir(parents=True)
        two = "threads" in out.name
        (out / "maps" / "a.npz").write_bytes(b"other" if two else b"map")
        (out / "records.jsonl").write_text(json.dumps({"seconds": {"a": 1.0, "b": 3.0}}) + "\n")
        return kill_in is not None

    monkeypatch.setattr(ray_scaling, "run", run)
    options = argparse.Namespace(config="c", num_samples="2", preset="instant", out=tmp_path)
    rows = ray_scaling.compare(options)
    assert [row["equal"] for row in rows.values()] == [True, False, True, True]
    assert [row["stages"] for row in rows.values()] == [2.0, 4.0, 2.0, 2.0]
    assert [row["killed"] for row in rows.values()] == [False, False, False, True]
    assert capsys.readouterr().out.count("bit for bit") == 3
