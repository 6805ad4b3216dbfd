"""Permutation tests of paired scores, and their correction for many comparisons."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.errors import EvaluationError
from input_iba.evaluation import holm, sign_flip_p, summary


@given(st.lists(st.floats(-10, 10).map(lambda x: round(x, 3)), min_size=1, max_size=8))
def test_few_pairs_are_tested_exactly(differences: list[float]) -> None:
    reached = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        >= abs(sum(differences)) - 1e-9
        for signs in product((1, -1), repeat=len(differences))
    ]
    assert sign_flip_p(differences) == pytest.approx(sum(reached) / len(reached))
    assert sign_flip_p([-d for d in differences]) == sign_flip_p(differences)


def test_known_answers() -> None:
    assert sign_flip_p([1.0] * 5) == 2 / 32
    assert sign_flip_p([0.0] * 5) == 1
    assert sign_flip_p([1.0, -1.0]) == 1
    assert sign_flip_p([1.0] * summary.EXACT, resamples=9) == 2 / 2**summary.EXACT
    assert sign_flip_p([1.0] * 30, resamples=999) == pytest.approx(1 / 1000)


def test_drawn_signs_come_near_the_exact_value(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(0).normal(0.4, 1.0, 13)
    exact = sign_flip_p(differences)
    monkeypatch.setattr(summary, "EXACT", 0)
    drawn = sign_flip_p(differences)
    assert 0.05 < exact < 0.95
    assert drawn == pytest.approx(exact, abs=0.015)
    assert sign_flip_p(differences) == drawn
    monkeypatch.setattr(summary, "DRAWS_AT_ONCE", 100)
    assert sign_flip_p(differences) == pytest.approx(exact, abs=0.015)


def test_what_does_not_differ_is_rarely_said_to() -> None:
    draws = np.random.default_rng(1)
    p_values = [sign_flip_p(draws.normal(size=10)) for _ in range(300)]
    assert np.mean(np.array(p_values) <= 0.05) < 0.09


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_equals_its_definition(p_values: list[float]) -> None:
    found = holm(p_values)
    ordered = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for place, index in enumerate(ordered):
        expected = max(
            min(1.0, (len(p_values) - k) * p_values[ordered[k]]) for k in range(place + 1)
        )
        assert found[index] == pytest.approx(expected)
        assert found[index] >= p_values[index]


def test_what_cannot_be_tested_is_refused() -> None:
    with pytest.raises(EvaluationError):
        sign_flip_p([])
    with pytest.raises(EvaluationError):
        sign_flip_p([float("nan")])
