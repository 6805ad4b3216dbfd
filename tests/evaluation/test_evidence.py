"""Agreement with human evidence: literal procedures, known answers, what never changes."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.errors import EvaluationError
from input_iba.evaluation import ScoredSample, average_precision, best_f1, smoothed_over, token_f1
from input_iba.evaluation.evidence import EvidenceMetric, chance
from input_iba.records import TextSample

MEASURES = (average_precision, token_f1, best_f1, chance)


def of_one(measure: Any, heat: list[float], marked: list[bool]) -> float:
    found: float = measure(torch.tensor([heat]), torch.tensor([marked])).item()
    return found


def literal_precision(heat: list[float], marked: list[bool]) -> float:
    area, recall_before = 0.0, 0.0
    for threshold in sorted(set(heat), reverse=True):
        hot = [i for i, value in enumerate(heat) if value >= threshold]
        hits = sum(marked[i] for i in hot)
        precision, recall = hits / len(hot), hits / sum(marked)
        area += (recall - recall_before) * precision
        recall_before = recall
    return area


def literal_best(heat: list[float], marked: list[bool]) -> float:
    scores = [0.0]
    for threshold in heat:
        hot = [value >= threshold for value in heat]
        hits = sum(a and b for a, b in zip(hot, marked, strict=True))
        if hits:
            precision, recall = hits / sum(hot), hits / sum(marked)
            scores.append(2 * precision * recall / (precision + recall))
    return max(scores)


def literal_f1(heat: list[float], marked: list[bool]) -> float:
    scores = []
    for shuffled in permutations(range(len(heat))):
        order = sorted(shuffled, key=lambda i: -heat[i])  # stable: ties as they were shuffled
        scores.append(sum(marked[i] for i in order[: sum(marked)]) / sum(marked))
    return sum(scores) / len(scores)


@st.composite
def cases(draw: st.DrawFn, most: int = 12) -> tuple[list[float], list[bool]]:
    count = draw(st.integers(2, most))
    values = st.integers(-3, 3) if draw(st.booleans()) else st.integers(-999, 999)
    heat = [value / 4 for value in draw(st.lists(values, min_size=count, max_size=count))]
    marked = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    marked[draw(st.integers(0, count // 2 - 1))] = True
    marked[draw(st.integers(count // 2, count - 1))] = False
    return heat, marked


@given(cases())
def test_area_and_best_f1_equal_the_literal_procedure(case: tuple[list[float], list[bool]]) -> None:
    assert of_one(average_precision, *case) == pytest.approx(literal_precision(*case))
    assert of_one(best_f1, *case) == pytest.approx(literal_best(*case))


@given(cases(5))
def test_f1_is_the_mean_over_all_orders_of_ties(case: tuple[list[float], list[bool]]) -> None:
    assert of_one(token_f1, *case) == pytest.approx(literal_f1(*case))


@given(cases())
def test_the_area_equals_that_of_scikit_learn(case: tuple[list[float], list[bool]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    heat, marked = case
    expected = metrics.average_precision_score(marked, heat)
    assert of_one(average_precision, heat, marked) == pytest.approx(expected)


@given(cases(), st.randoms(use_true_random=False))
def test_neither_unit_nor_place_of_words_matters(
    case: tuple[list[float], list[bool]], draws: Any
) -> None:
    heat, marked = case
    order = list(range(len(heat)))
    draws.shuffle(order)
    other = [7 * heat[i] ** 3 + 2 for i in order], [marked[i] for i in order]
    for measure in MEASURES:
        assert of_one(measure, *other) == pytest.approx(of_one(measure, heat, marked))


@given(cases())
def test_the_evidence_itself_is_the_best_map_and_one_value_is_chance(
    case: tuple[list[float], list[bool]],
) -> None:
    _, marked = case
    share = sum(marked) / len(marked)
    same = [1.0] * len(marked)
    for measure in (average_precision, token_f1, best_f1):
        assert of_one(measure, list(map(float, marked)), marked) == 1
    assert of_one(average_precision, same, marked) == pytest.approx(share)
    assert of_one(token_f1, same, marked) == pytest.approx(share)
    assert of_one(chance, same, marked) == pytest.approx(share)


def test_texts_of_a_batch_score_as_they_do_alone() -> None:
    heats = torch.tensor([[3.0, 1.0, 2.0], [0.0, 0.0, 1.0]])
    marked = torch.tensor([[False, True, True], [True, False, False]])
    assert average_precision(heats, marked).tolist() == pytest.approx([7 / 12, 1 / 3])
    assert token_f1(heats, marked).tolist() == [0.5, 0.0]
    assert best_f1(heats, marked).tolist() == pytest.approx([0.8, 0.5])


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9), st.integers(2, 7))
def test_maps_are_smoothed_literally(values: list[int], words: int) -> None:
    expected = []
    for i in range(len(values)):
        near = range(i - (words - 1) // 2, i + words // 2 + 1)
        inside = [values[j] for j in near if 0 <= j < len(values)]
        expected.append(sum(inside) / len(inside))
    found = smoothed_over(torch.tensor([values]), words)
    assert found[0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("words", [0, 1])
def test_maps_that_are_not_smoothed_stay(words: int) -> None:
    heats = torch.rand(2, 5)
    assert torch.equal(smoothed_over(heats, words), heats.double())


@pytest.mark.parametrize(
    ("heat", "marked", "said"),
    [
        ([1.0, 2.0], [True], "the same words"),
        ([1.0, float("nan")], [True, False], "NaN"),
        ([1.0, 2.0], [True, True], "every word"),
        ([1.0, 2.0], [False, False], "no word"),
    ],
)
@pytest.mark.parametrize("measure", MEASURES)
def test_what_cannot_be_scored_is_refused(
    measure: Any, heat: list[float], marked: list[bool], said: str
) -> None:
    with pytest.raises(EvaluationError, match=said):
        of_one(measure, heat, marked)
    with pytest.raises(EvaluationError, match="≥ 0"):
        smoothed_over(torch.ones(1, 2), -1)


def row(metric: EvidenceMetric, target: int = 1, **known: Any) -> Any:
    sample = TextSample(
        "a", torch.tensor([4, 5, 6, 7]), **{"target": 1, "tokens": tuple("abcd"), **known}
    )
    heat = torch.tensor([0.9, 0.0, 0.1, 0.8], dtype=torch.float64)
    context: Any = SimpleNamespace()  # the classifier is not asked
    return metric.scorer(context)(ScoredSample(sample, target, 0.9, heat))


def test_rows_of_the_metric() -> None:
    evidence = (True, True, False, False)
    assert row(EvidenceMetric(), evidence=evidence) == {
        "average_precision": pytest.approx((1 + 2 / 4) / 2),
        "token_f1": 0.5,
        "best_f1": pytest.approx(2 / 3),
        "chance": 0.5,
    }
    smooth = row(EvidenceMetric(smooth=3), evidence=evidence)
    assert smooth["token_f1"] == 0.5  # means .45, .33, .3, .45
    assert smooth["average_precision"] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_what_evidence_says_nothing_about_is_left_out() -> None:
    metric, some = EvidenceMetric(), (True, False, False, False)
    assert row(metric) == "the data set has no human evidence"
    assert "another class" in row(metric, target=0, evidence=some)
    assert row(metric, target=0, evidence=(False,) * 4) == (
        "explained for another class than the one that the evidence is of"
    )
    assert row(metric, evidence=(False,) * 4) == "no word is evidence"
    assert row(metric, evidence=(True,) * 4) == "every word is evidence"


def test_the_chart_shows_agreement_beside_chance() -> None:
    rows = [row(EvidenceMetric(), evidence=(True, True, False, False))] * 3
    chart = EvidenceMetric().chart(rows)
    assert len(chart.lines) == 3
    assert "3 texts" in chart.title
