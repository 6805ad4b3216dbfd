"""Memory that runs out in an evaluation: fewer inputs at once, and the same scores."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from input_iba.config.build import build_classifier
from input_iba.config.load import RunConfig
from input_iba.core.fitting import FittingRows
from tests.commands.evaluating import Evaluated, prepare

SHAPE = (3, 32, 32)


@pytest.fixture
def tiny(tmp_path: Path) -> Evaluated:
    return prepare(tmp_path)


class SmallMemory(nn.Module):
    """A classifier that holds `most` inputs at once; keeps the sizes of all passes."""

    def __init__(self, model: nn.Module, most: int) -> None:
        super().__init__()
        self.model, self.most, self.sizes = model, most, list[int]()

    def forward(self, inputs: Tensor) -> Tensor:
        self.sizes.append(len(inputs))
        if len(inputs) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        logits: Tensor = self.model(inputs)
        return logits


def with_memory(monkeypatch: pytest.MonkeyPatch, most: int) -> list[SmallMemory]:
    made = list[SmallMemory]()

    def small(config: RunConfig) -> nn.Module:
        made.append(SmallMemory(build_classifier(config), most))
        return made[-1].eval()

    monkeypatch.setattr("input_iba.run.prepared_run.build_classifier", small)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("insertion_deletion", ("--pixel-batch-size", "64")),
        ("degradation", ("--tile-size", "8")),
        ("sensitivity_n", ("--num-masks", "20", "--log-n-max", "1", "--log-n-ticks", "0.5")),
    ],
)
def test_rows_are_halved_until_they_fit(
    tiny: Evaluated,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    metric: str,
    options: tuple[str, ...],
) -> None:
    assert tiny.run(metric, "whole", *options) == 0
    capsys.readouterr()
    made = with_memory(monkeypatch, 3)
    assert tiny.run(metric, "halved", *options) == 0
    whole, halved = (tiny.result(name)["summary"] for name in ("whole", "halved"))
    for key, summary in whole.items():
        assert halved[key]["mean"] == pytest.approx(summary["mean"], abs=1e-5)
    tries = [size for size in made[0].sizes if size > 3]
    first = 17 if metric != "sensitivity_n" else 20
    assert tries == [first, (first + 1) // 2, 5]  # each size fails once in the whole run
    warnings = capsys.readouterr().err
    assert warnings.count("Out of memory") == 3
    assert "sees 3 of its rows" in warnings


@pytest.mark.slow
def test_what_does_not_fit_at_all_fails_alone(
    tiny: Evaluated, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_memory(monkeypatch, 0)
    assert tiny.run("insertion_deletion", "a", "--pixel-batch-size", "256") == 1
    found = tiny.result("a")
    assert len(found["failed"]) == 4
    assert all("out of memory" in reason for reason in found["failed"].values())


def test_halving_begins_where_passes_really_are() -> None:
    rows = FittingRows(None, torch.device("cpu"))
    assert rows.rows(SHAPE) > 100
    assert rows.halved(SHAPE) is None
    rows.saw(torch.zeros(1, *SHAPE))
    rows.saw(torch.zeros(9, *SHAPE))
    said = rows.halve(SHAPE)
    assert said is not None
    assert "3×32×32" in said
    assert (rows.rows(SHAPE), rows.halved(SHAPE)) == (5, 5)
    assert rows.halve(SHAPE)
    assert rows.halve(SHAPE)
    assert rows.halve(SHAPE)
    assert rows.rows(SHAPE) == 1
    assert rows.halve(SHAPE) is None
    assert rows.rows((3, 16, 16)) > 100  # small pictures do not pay for large ones
    assert FittingRows(4, torch.device("cpu")).rows(SHAPE) == 4
