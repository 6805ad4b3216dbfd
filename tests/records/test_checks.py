"""What is said of a map: the worst check decides, and every doubt is named, worst first."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from input_iba.records import BOUNDS, Belief, Checks, belief

GOOD = Checks(hidden=0.03, spared=0.93, halves=0.9, agreement=0.5)


def judged(met: float = 0.94, held: float = 0.9, **keys: float) -> Belief:
    losses = {"input_iba/target": [1.0, -math.log(held)]}
    return belief(met, losses, replace(GOOD, **keys))


def test_a_map_that_passes_all_is_green_and_tells_what_hiding_does() -> None:
    found = judged()
    assert found.verdict == "green"
    assert found.reason == "with the hottest tenth hidden, 94 % becomes 3 %"
    assert found.score >= 1
    assert set(found.marks) == set(BOUNDS)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("met", lambda x: {"met": x}),
        ("held", lambda x: {"held": x}),
        ("halves", lambda x: {"halves": x}),
        ("agreement", lambda x: {"agreement": x}),
        ("drop", lambda x: {"hidden": 0.5, "spared": 0.5 * math.exp(x)}),
    ],
)
def test_each_check_alone_makes_a_map_amber_or_red(name: str, keys: Any) -> None:
    bounds = BOUNDS[name]
    width = bounds.green - bounds.red
    amber, red = (judged(**keys(bounds.red + x * width)) for x in (0.5, -0.02))
    assert (amber.verdict, red.verdict) == ("amber", "red")
    for found in (amber, red):
        assert found.score == found.marks[name] == pytest.approx(min(found.marks.values()))
        assert found.reason.count(";") == 1
    assert judged(**keys(bounds.green + 0.01 * width)).verdict == "green"


def test_doubts_are_named_worst_first() -> None:
    found = judged(held=0.48, halves=-0.5, agreement=-0.1)
    assert found.verdict == "red"
    of_noise, of_features, behind, hidden = found.reason.split("; ")
    assert "halves of the noise" in of_noise
    assert "features" in of_features
    assert behind == "behind the bottleneck only 48 %"
    assert hidden.startswith("with the hottest")


def test_what_cannot_be_known_is_left_out_or_not_checked_at_all() -> None:
    assert "halves" not in judged(halves=math.nan).marks
    assert judged(halves=math.nan).verdict == "green"
    for met, checks in ((math.nan, GOOD), (None, GOOD), (0.9, None)):
        found = belief(met, {}, checks)
        assert found.verdict == "not checked"
        assert found.reason
        assert math.isnan(found.score)


def test_a_target_that_does_not_react_is_red() -> None:
    found = belief(0.9, {"input_iba/target": [0.105, 0.105]}, GOOD)
    assert found.verdict == "red"
    assert "does not react" in found.reason


def test_probabilities_that_vanish_are_no_error() -> None:
    assert judged(hidden=0.0).verdict == "green"
    assert judged(hidden=0.5, spared=0.0).verdict == "red"
