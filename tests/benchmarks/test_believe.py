"""The benchmark of verdicts: networks without training that are as sure, and its table."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.believe import ABSENT, PREDICTED, RANDOM, SURE, certainty, scores, table, untrained


def row(condition: str, met: float, held: float, halves: float) -> dict[str, Any]:
    checks = {"hidden": met / 9, "spared": met, "halves": halves, "agreement": 0.5}
    losses = {"input_iba/target": [5.0, -math.log(held)]}
    return {"condition": condition, "id": "a", "met": met, "losses": losses, "checks": checks}


def test_an_untrained_network_is_made_as_sure_as_the_trained_one() -> None:
    torch.manual_seed(0)
    head = nn.Linear(288, 10)
    trained = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), head)
    trained.eval()
    with torch.no_grad():
        head.weight *= 5
    usual, before = torch.randn(40, 3, 8, 8), copy.deepcopy(trained.state_dict())
    found = untrained(trained, usual)
    wanted = certainty(scores(trained, usual))
    assert certainty(scores(found[SURE], usual)) == pytest.approx(wanted, abs=0.01)
    assert certainty(scores(found[RANDOM], usual)) < wanted - 0.1
    for name, value in trained.state_dict().items():
        assert torch.equal(value, before[name])
        if name.endswith("weight") and value.ndim > 1:
            assert not torch.equal(value, found[RANDOM].state_dict()[name])


def test_the_table_counts_verdicts_and_says_how_well_each_check_tells_them_apart() -> None:
    good = [row(PREDICTED, 0.9, 0.8, 0.9), row(PREDICTED, 0.5, 0.45, 0.8)]
    bad = [row(ABSENT, 0.001, 0.7, 0.95), {"condition": ABSENT, "id": "b", "checks": None}]
    found = table("all", [*good, *bad])
    lines = {line[0]: dict(zip(found.head, line, strict=True)) for line in found.rows}
    assert [lines[PREDICTED][colour] for colour in ("green", "amber", "red")] == ["1", "1", "0"]
    assert [lines[ABSENT][colour] for colour in ("green", "amber", "red")] == ["0", "0", "2"]
    assert lines[ABSENT]["AUROC"] == lines[ABSENT]["by met"] == "1.000"
    assert lines[ABSENT]["by halves"] == "0.500"
    assert lines[SURE]["AUROC"] == "–"
