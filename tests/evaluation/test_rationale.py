"""Comprehensiveness and sufficiency: literal procedures, answers known by hand, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from input_iba.errors import EvaluationError
from input_iba.evaluation import text_insertion_deletion, text_rationale
from input_iba.evaluation.rationale import BINS, RationaleMetric, bin_counts
from input_iba.modality.text_classifier import TextClassifier
from input_iba.modality.units import REPLACEMENTS, replacing
from tests.evaluation import texts
from tests.evaluation.texts import PAD, Recurrent, Transformer

MASK = 0
VALUES = torch.tensor([-1.0, 0.0, 2.0, 0.0])
"""What a word says for class 1, by its id: the mask token, padding, the planted word, a word."""


def mean_of_words(ids: Tensor, keep: Tensor) -> Tensor:
    """The logit of class 1 is the mean over a text's tokens of what they say."""
    return (VALUES[ids] * keep).sum(1) / (ids != PAD).sum(1)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@pytest.mark.parametrize(
    ("how", "without", "alone"),
    [
        ("zero", 0.0, 0.5),  # (0 + 0 + 0 + 0) / 4, (2 + 0 + 0 + 0) / 4
        ("mask", -0.25, -0.25),  # (−1 + 0 + 0 + 0) / 4, (2 − 1 − 1 − 1) / 4
        ("remove", 0.0, 2.0),  # (0 + 0 + 0) / 3, 2 / 1
    ],
)
def test_what_becomes_of_words_decides_as_it_does_by_hand(
    how: str, without: float, alone: float
) -> None:
    classify = replacing(mean_of_words, how, PAD, MASK)
    tokens, heat = torch.tensor([[3, 2, 3, 3]]), torch.tensor([[0.1, 0.9, 0.3, 0.2]])
    found = text_rationale(classify, tokens, heat, [1], tokens != PAD, bins=(25,))
    whole = sigmoid(2 / 4)
    assert found.comprehensiveness.item() == pytest.approx(whole - sigmoid(without), abs=1e-6)
    assert found.sufficiency.item() == pytest.approx(whole - sigmoid(alone), abs=1e-6)
    steps = text_insertion_deletion(classify, tokens, heat, [1], tokens != PAD, 1)
    assert steps.deletion[0, :2].tolist() == pytest.approx([whole, sigmoid(without)])
    assert steps.insertion[0, 1].item() == pytest.approx(sigmoid(alone))
    assert steps.insertion[0, -1].item() == pytest.approx(whole)


@pytest.mark.parametrize("how", REPLACEMENTS)
def test_padding_and_special_tokens_stay_where_they_are(how: str) -> None:
    seen = list[list[int]]()

    def classify(ids: Tensor, keep: Tensor) -> Tensor:
        seen.extend(ids.tolist())
        return torch.zeros(len(ids), 2)

    tokens = torch.tensor([[8, 3, 2, 9, PAD], [8, 3, 2, 3, 9]])
    scored = torch.tensor([[False, True, True, False, False], [False, True, True, True, False]])
    text_rationale(
        replacing(classify, how, PAD, MASK), tokens, torch.rand(2, 5), [0, 0], scored, bins=(1, 100)
    )
    stripped = [[id_ for id_ in ids if id_ not in (PAD, MASK, 2, 3)] for ids in seen]
    assert stripped == [[8, 9]] * len(seen)
    assert all(PAD not in ids[: ids.index(9)] for ids in seen)


@pytest.mark.parametrize(("model", "target"), [(Recurrent(), 0), (Transformer(), 1)])
@pytest.mark.parametrize("bins", [BINS, (30,), (100, 1, 60)])
def test_scores_equal_the_literal_procedure(model: Any, target: int, bins: tuple[int, ...]) -> None:
    tokens = [5, 3, 7, 2, 3, 9, 6]
    heat = [0.2, 0.9, -0.5, 0.9, 0.1, 0.3, 0.2]
    probability, _ = texts.scores_of(model, target)
    without, alone = texts.rationale(probability, tokens, heat, bins)
    with TextClassifier(model).zeroing() as classify:
        found = text_rationale(
            classify,
            torch.tensor([tokens]),
            torch.tensor([heat]),
            [target],
            torch.ones(1, len(tokens), dtype=torch.bool),
            bins=bins,
            internal_batch_size=2,
        )
    assert found.without[0].tolist() == pytest.approx(without, abs=1e-6)
    assert found.alone[0].tolist() == pytest.approx(alone, abs=1e-6)
    assert found.comprehensiveness.item() == pytest.approx(np.mean(without), abs=1e-6)
    assert found.sufficiency.item() == pytest.approx(np.mean(alone), abs=1e-6)


def by_percentage(classify: Any, tokens: list[int], heat: list[float]) -> tuple[float, float]:
    """What the library ferret computes with `based_on='perc'` and removed tokens, written anew.

    Its rationale has int(share · tokens) tokens; an empty one does not count, and neither does one
    that is the same as that before.
    """

    def probability(ids: list[int]) -> float:
        row = torch.tensor([ids])
        return float(classify(row, torch.ones_like(row, dtype=torch.bool)).sigmoid())

    without, alone, before = [], [], None
    for share in (0.01, 0.05, 0.1, 0.2, 0.5):
        count = int(share * len(tokens))
        hottest = set(sorted(range(len(tokens)), key=lambda i: -heat[i])[:count])
        if not hottest or hottest == before:
            continue
        before = hottest
        rest = [id_ for i, id_ in enumerate(tokens) if i not in hottest]
        without.append(probability(tokens) - probability(rest))
        kept = [id_ for i, id_ in enumerate(tokens) if i in hottest]
        alone.append(probability(tokens) - probability(kept))
    return float(np.mean(without)), float(np.mean(alone))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(100, 160))
def test_texts_of_a_hundred_words_score_as_in_ferret(seed: int, words: int) -> None:
    draws = np.random.default_rng(seed)
    tokens = draws.integers(2, 4, words).tolist()
    heat = draws.permutation(words).astype(float).tolist()
    row = torch.tensor([tokens])
    found = text_rationale(
        replacing(mean_of_words, "remove", PAD), row, torch.tensor([heat]), [1], row != PAD
    )
    comprehensiveness, sufficiency = by_percentage(mean_of_words, tokens, heat)
    assert found.comprehensiveness.item() == pytest.approx(comprehensiveness, abs=1e-6)
    assert found.sufficiency.item() == pytest.approx(sufficiency, abs=1e-6)


@given(st.integers(1, 3000), st.integers(1, 100))
def test_bins_hold_whole_words_and_at_least_one(words: int, percent: int) -> None:
    [[count]] = bin_counts(torch.tensor([words]), (percent,)).tolist()
    assert 1 <= count <= words
    assert count == 1 or count * 100 <= percent * words < (count + 1) * 100


@pytest.mark.parametrize("how", REPLACEMENTS)
def test_the_whole_text_is_sufficient(how: str) -> None:
    tokens = torch.tensor([[3, 2, 3, 3], [2, 2, 3, PAD]])
    classify = replacing(mean_of_words, how, PAD, MASK)
    found = text_rationale(classify, tokens, torch.rand(2, 4), [1, 0], tokens != PAD, bins=(100,))
    assert found.sufficiency.tolist() == [0, 0]


def test_texts_of_a_batch_score_as_they_do_alone() -> None:
    classify = replacing(mean_of_words, "remove", PAD)
    tokens = torch.tensor([[3, 2, 3, 3], [2, 2, 3, PAD]])
    heats = torch.tensor([[0.3, 0.2, 0.9, 0.1], [0.5, 0.7, 0.9, float("nan")]])
    both = text_rationale(classify, tokens, heats, [1, 0], tokens != PAD, bins=(30, 70))
    for i, length in enumerate((4, 3)):
        one = tokens[i : i + 1, :length]
        alone = text_rationale(
            classify, one, heats[i : i + 1, :length], [1 - i], one != PAD, bins=(30, 70)
        )
        assert torch.allclose(both.without[i], alone.without[0])
        assert torch.allclose(both.alone[i], alone.alone[0])


@pytest.mark.parametrize("bins", [(), (0, 5), (50, 101)])
def test_bins_out_of_their_range_are_refused(bins: tuple[int, ...]) -> None:
    tokens = torch.tensor([[3, 2]])
    with pytest.raises(EvaluationError, match="Bins are percentages"):
        text_rationale(mean_of_words, tokens, torch.rand(1, 2), [1], tokens != PAD, bins=bins)


def test_the_chart_draws_both_losses_over_the_bins() -> None:
    rows = [{"without": [0.1, 0.2], "alone": [0.3, 0.1]}] * 2
    chart = RationaleMetric(bins=(10, 20), replace="mask").chart(rows)
    assert "mask" in chart.title
    assert len(chart.lines) == 2
