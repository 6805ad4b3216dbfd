"""Means, intervals and paired differences."""

from __future__ import annotations

import json
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.errors import EvaluationError
from input_iba.evaluation import paired_difference, summarise, summary

values = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


@given(values)
def test_mean_and_deviation_are_the_textbook_ones(scores: list[float]) -> None:
    found = summarise(scores, resamples=200)
    assert found.mean == pytest.approx(statistics.fmean(scores), abs=1e-9)
    assert found.std == pytest.approx(statistics.stdev(scores), abs=1e-6)
    assert found.n == len(scores)
    assert found.low is not None
    assert found.high is not None
    assert min(scores) - 1e-9 <= found.low <= found.high <= max(scores) + 1e-9
    assert summarise(scores, resamples=200) == found


def test_the_interval_of_many_values_is_the_normal_one() -> None:
    draws = np.random.default_rng(3).normal(2.0, 1.5, 800)
    found = summarise(draws)
    half = 1.96 * draws.std(ddof=1) / math.sqrt(800)
    assert found.low == pytest.approx(draws.mean() - half, abs=0.01)
    assert found.high == pytest.approx(draws.mean() + half, abs=0.01)


def test_the_interval_of_two_values_is_exact() -> None:
    # Means are 0, 1/2 or 1 with probability 1/4, 1/2, 1/4.
    found = summarise([0.0, 1.0])
    assert (found.low, found.high) == (0.0, 1.0)


def test_blocks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.random.default_rng(0).random(30)
    whole = summarise(scores, resamples=1000)
    monkeypatch.setattr(summary, "DRAWS_AT_ONCE", 200)
    assert summarise(scores, resamples=1000) == whole


def test_one_value_has_no_interval() -> None:
    found = summarise([0.3])
    assert found.to_dict() == {"mean": 0.3, "std": None, "low": None, "high": None, "n": 1}
    assert not found.excludes_zero
    assert json.loads(json.dumps(summarise([0.1, 0.4]).to_dict()))["n"] == 2


def test_pairs_show_what_means_hide() -> None:
    draws = np.random.default_rng(0)
    first = draws.normal(0.5, 0.2, 40)
    second = first + draws.normal(0.02, 0.01, 40)
    difference = paired_difference(second, first)
    assert difference.mean == pytest.approx(second.mean() - first.mean())
    assert difference.excludes_zero
    assert not paired_difference(draws.permutation(first), first).excludes_zero
    nothing = paired_difference(first, first)
    assert (nothing.mean, nothing.low, nothing.high) == (0, 0, 0)
    assert not nothing.excludes_zero


@pytest.mark.parametrize("wrong", [[], [[1.0]], 1.0, [1.0, math.nan], [math.inf]])
def test_what_has_no_mean_is_refused(wrong: object) -> None:
    with pytest.raises(EvaluationError):
        summarise(wrong)  # type: ignore[arg-type]


def test_pairs_need_the_same_samples() -> None:
    with pytest.raises(EvaluationError, match="same samples"):
        paired_difference([1.0, 2.0], [1.0])
