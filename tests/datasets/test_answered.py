"""Prompts with answers behind them: one sample a question, which keeps the prompt's words."""

from __future__ import annotations

import pytest
import torch

from input_iba.core.padding import pad
from input_iba.core.tokens import Tokens
from input_iba.datasets import AnsweredDataset, GivenTexts, PieceDataset
from input_iba.errors import DataError
from tests.models.tiny_lm import ID, tokenizer


def prompts() -> PieceDataset:
    return PieceDataset(GivenTexts(["w1 key key3", "w2"]), tokenizer(), None)


def test_every_token_of_an_answer_is_a_sample_of_its_own() -> None:
    source, answers = prompts(), [(7, 8), (9,)]
    plain, each = AnsweredDataset(source, answers), AnsweredDataset(source, answers, True)
    assert plain.ids == source.ids == ["w1_key_key3", "w2"]
    assert each.ids == [
        *("w1_key_key3", "w1_key_key3_token_1", "w1_key_key3_token_2"),
        *("w2", "w2_token_1"),
    ]
    assert [each.target(i) for i in range(5)] == [None, 0, 1, None, 0]
    for i in range(5):
        assert (each[i].id, each[i].target) == (each.ids[i], each.target(i))
        assert each.path(i) == source.path(i // 3)
    assert plain.fingerprint() != each.fingerprint()
    assert plain.fingerprint() != AnsweredDataset(source, [(7, 9), (9,)]).fingerprint()


def test_the_answer_is_seen_and_belongs_to_no_word() -> None:
    sample = AnsweredDataset(prompts(), [(7, 0), (9,)])[0]
    assert sample.tokens == ("w1", "key", "key3")
    assert sample.words == (0, 1, 2, -1, -1)
    assert sample.per_unit(torch.arange(5.0), "sum").tolist() == [0, 1, 2]
    batch = pad([sample.input, torch.tensor([ID["w2"]])], pad_index=0)
    tokens = Tokens.of(batch.ids, pad=0)
    assert tokens.ids.tolist()[0] == [ID["w1"], ID["key"], ID["key3"], 7, 0]
    assert tokens.lengths.tolist() == [5, 1]
    assert tokens.scored.int().tolist() == [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]
    assert tokens.answers == [(7, 0), ()]
    assert tokens.repeat(2).select([1, 2]).trimmed().answers == [(7, 0), ()]


def test_a_prompt_that_cannot_be_read_fails_alone() -> None:
    texts = PieceDataset(GivenTexts(["w1", "</s>"]), tokenizer(), None)
    found = AnsweredDataset(texts, [(7,), ()], each_token=True)
    assert len(found) == 3
    assert found[1].target == 0
    with pytest.raises(DataError):
        found[2]
