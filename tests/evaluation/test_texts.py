"""Insertion, deletion and sensitivity-N of words: the literal procedure, and what never changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from input_iba.errors import EvaluationError, InputIBAError
from input_iba.evaluation import (
    NLPInsertionDeletion,
    NLPSensitivityN,
    random_words,
    text_insertion_deletion,
    text_sensitivity_n,
)
from input_iba.modality.text_classifier import TextClassifier
from tests.conftest import Unchanged
from tests.evaluation import literal, texts
from tests.evaluation.texts import PAD, Recurrent, Transformer

MODELS = [(Recurrent(), 0), (Recurrent(), 1), (Recurrent(3), 2), (Transformer(), 1)]
TEXT = [5, 3, PAD, 7, 2, 3, 9, PAD]
HEAT = [0.2, 0.9, 99.0, -0.5, 0.9, 0.1, 0.3, float("nan")]


@pytest.mark.parametrize(("model", "target"), MODELS)
@pytest.mark.parametrize(
    ("words_a_step", "fraction", "most"), [(1, 1.0, 6), (4, 1.0, 6), (2, 0.4, 3)]
)
def test_insertion_and_deletion_equal_the_literal_procedure(
    model: Any, target: int, words_a_step: int, fraction: float, most: int
) -> None:
    metric = NLPInsertionDeletion(
        model.train(), words_a_step, max_fraction=fraction, ignored=[PAD], internal_batch_size=3
    )
    heat = np.array(HEAT)
    before = heat.copy()
    found = metric.evaluate(heat, torch.tensor(TEXT), target)
    assert set(found) == {
        *("del_scores", "ins_scores", "del_text", "ins_text", "ins_auc", "del_auc")
    }
    probability, _ = texts.scores_of(model, target)
    expected = texts.insertion_deletion(probability, TEXT, HEAT, {PAD}, words_a_step, most)
    for name in ("ins", "del"):
        assert found[f"{name}_scores"].tolist() == pytest.approx(expected[name][0], abs=1e-6)
        assert found[f"{name}_auc"] == pytest.approx(expected[name][1], abs=1e-6)
    assert np.array_equal(heat, before, equal_nan=True)
    hottest = sorted((i for i, t in enumerate(TEXT) if t != PAD), key=lambda i: -HEAT[i])[:most]
    for i, token in enumerate(TEXT):
        assert found["del_text"][i] == (-1 if i in hottest else token)
        shown = i in hottest or token == PAD
        assert found["ins_text"][i] == (token if shown else -1)


@pytest.mark.parametrize(("model", "target"), MODELS)
@pytest.mark.parametrize("n", [1, 3, 5])
def test_sensitivity_equals_the_literal_procedure(model: Any, target: int, n: int) -> None:
    metric = NLPSensitivityN(model, len(TEXT), n, 9, ignored=[PAD], internal_batch_size=4)
    found = metric.evaluate(torch.tensor([HEAT]), torch.tensor([TEXT]), target, calculate_corr=True)
    assert set(found) == {"correlation", "score_diffs", "sum_attributions"}
    _, logit = texts.scores_of(model, target)
    sets = random_words(torch.tensor(TEXT) != PAD, n, 9)
    sums, drops = [], []
    for chosen in sets:
        positions = set(chosen.nonzero().flatten().tolist())
        assert len(positions) == n
        assert not positions & {2, 7}
        sums.append(sum(HEAT[i] for i in positions))
        drops.append(logit(TEXT, set()) - logit(TEXT, positions))
    assert found["sum_attributions"].tolist() == pytest.approx(sums, abs=1e-6)
    assert found["score_diffs"].tolist() == pytest.approx(drops, abs=1e-6)
    assert found["correlation"] == pytest.approx(literal.pearson(sums, drops), abs=1e-6)
    without = metric.evaluate(torch.tensor(HEAT), torch.tensor(TEXT), target)
    assert without["correlation"] is None


@given(st.lists(st.lists(st.integers(0, 11), min_size=2, max_size=6), min_size=1, max_size=4))
def test_texts_of_a_batch_score_as_they_do_alone(batch: list[list[int]]) -> None:
    model = Transformer().eval()
    batch = [[token + 2 * (token < 2) for token in text] for text in batch]
    longest = max(map(len, batch))
    tokens = torch.tensor([text + [PAD] * (longest - len(text)) for text in batch])
    heats = (tokens * 7 % 5).double().masked_fill(tokens == PAD, torch.nan)
    reader = TextClassifier(model, ignored=[PAD])
    targets = [i % 3 for i in range(len(batch))]
    with reader.zeroing() as classify:
        found = text_insertion_deletion(classify, tokens, heats, targets, tokens != PAD, 2)
        for i, target in enumerate(targets):
            one = tokens[i : i + 1]
            alone = text_insertion_deletion(
                classify, one, heats[i : i + 1], [target], one != PAD, 2
            )
            assert found.insertion_auc[i].item() == pytest.approx(alone.insertion_auc.item())
            assert found.deletion_auc[i].item() == pytest.approx(alone.deletion_auc.item())


def test_the_classifier_comes_back_as_it_was(unchanged: Unchanged) -> None:
    model = Recurrent().train()
    metric = NLPInsertionDeletion(model)
    with unchanged(model):
        metric.evaluate(HEAT[:5], torch.tensor(TEXT[:5]), 1)
        with pytest.raises(EvaluationError, match="classes 0 to 1"):
            metric.evaluate(HEAT[:5], torch.tensor(TEXT[:5]), 2)


def test_padding_is_known_from_the_embedding() -> None:
    tokens = torch.tensor([TEXT])
    assert TextClassifier(Recurrent()).scored(tokens).tolist() == [[t != PAD for t in TEXT]]
    assert bool(TextClassifier(Transformer()).scored(tokens).all())
    both = TextClassifier(Recurrent(), ignored=[PAD, 3]).scored(tokens)
    assert both.tolist() == [[t not in (PAD, 3) for t in TEXT]]


def test_attention_masks_go_through_forward() -> None:
    model, seen = Transformer(), list[Tensor]()

    def forward(tokens: Tensor) -> Tensor:
        seen.append(tokens != PAD)
        return model.forward(tokens).logits

    own = NLPInsertionDeletion(model, forward=forward, ignored=[PAD])
    plain = NLPInsertionDeletion(model, ignored=[PAD])
    found, expected = (m.evaluate(HEAT, torch.tensor(TEXT), 1) for m in (own, plain))
    assert found["ins_auc"] == expected["ins_auc"]
    assert seen


class Twice(nn.Module):
    """Has two embeddings, and calls the first twice."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Embedding(12, 2), nn.Embedding(12, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        vectors: Tensor = self.one(tokens) + self.one(tokens) + self.two(tokens)
        return vectors.sum(1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "2 modules of type Embedding: one, two"),
        ({"embedding": "one"}, "called 2 times"),
        ({"embedding": "three"}, "not found"),
        ({"embedding": "two", "pixel_batch_size": 0}, "pixel_batch_size"),
        ({"embedding": "two", "max_fraction": 1.5}, "max_fraction"),
        ({"embedding": "two", "ignored": [4]}, "nothing but padding"),
    ],
)
def test_what_cannot_be_scored_is_refused(options: dict[str, Any], message: str) -> None:
    metric = NLPInsertionDeletion(Twice(), **options)
    with pytest.raises(InputIBAError, match=message):
        metric.evaluate([0.1, 0.2], torch.tensor([4, 4]), 0)


def test_wrong_texts_and_maps_are_refused() -> None:
    metric = NLPInsertionDeletion(Recurrent())
    with pytest.raises(EvaluationError, match="whole numbers"):
        metric.evaluate([0.1, 0.2], torch.tensor([0.5, 1.0]), 0)
    with pytest.raises(EvaluationError, match="token ids, heats"):
        metric.evaluate([0.1], torch.tensor([4, 5]), 0)
    with pytest.raises(EvaluationError, match="NaN"):
        metric.evaluate([0.1, float("nan")], torch.tensor([4, 5]), 0)
    with pytest.raises(EvaluationError, match="1 ≤ n < 3"):
        NLPSensitivityN(Recurrent(), 3, 3)
    with pytest.raises(EvaluationError, match="text_size is 4"):
        NLPSensitivityN(Recurrent(), 4, 2).evaluate([0.1, 0.2], torch.tensor([4, 5]), 0)
    with pytest.raises(EvaluationError, match="1 ≤ n < 2"):
        NLPSensitivityN(Recurrent(), 4, 2).evaluate([1, 2, 3, 4], torch.tensor([4, 5, 1, 1]), 0)
    tokens, sets = torch.tensor([[4, 5]]), torch.ones(3, 3, dtype=torch.bool)
    with (
        TextClassifier(Recurrent()).zeroing() as classify,
        pytest.raises(EvaluationError, match="sets of words"),
    ):
        text_sensitivity_n(classify, tokens, torch.ones(1, 2), [0], sets)


def test_a_planted_word_is_found_out() -> None:
    """A classifier that reacts to one word: its map is better than any other."""

    class Planted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(12, 12, _weight=torch.eye(12))

        def forward(self, tokens: Tensor) -> Tensor:
            vectors: Tensor = self.embedding(tokens)
            return 10 * vectors[..., 7].sum(1) - 5

    text = torch.tensor([3, 7, 5, 6])
    metric = NLPInsertionDeletion(Planted(), 1)
    right, wrong = (metric.evaluate(heat, text, 1) for heat in ([0, 1, 0, 0], [1, 0, 1, 1]))
    assert min(right["ins_auc"], wrong["del_auc"]) > 0.85
    assert max(right["del_auc"], wrong["ins_auc"]) < 0.2
    assert metric.evaluate([0, 1, 0, 0], text, 0)["ins_auc"] == pytest.approx(
        1 - right["ins_auc"], abs=1e-6
    )


def test_the_sum_of_what_words_bring_is_what_the_logit_loses() -> None:
    class Weighed(nn.Module):
        """Adds up what each word brings."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(4, 1, _weight=torch.tensor([[0.5], [-1.0], [2.0], [1.0]]))

        def forward(self, tokens: Tensor) -> Tensor:
            brought: Tensor = self.embedding(tokens)[..., 0].sum(1)
            return torch.stack([-brought, brought], 1)

    tokens = torch.tensor([[0, 1, 2, 3]])
    sets = torch.tensor([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 1]]).bool()
    brought = torch.tensor([[0.5, -1.0, 2.0, 1.0]])
    with TextClassifier(Weighed()).zeroing() as classify:
        found, against = (
            text_sensitivity_n(classify, tokens, heats, [1], sets).correlation.item()
            for heats in (brought, -brought)
        )
    assert found == pytest.approx(1)
    assert against == pytest.approx(-1)
