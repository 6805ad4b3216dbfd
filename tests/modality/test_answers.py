"""Answers as they are read: the tokens that follow those of the prompt."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from input_iba.core.targets import GenerationTarget
from input_iba.core.tokens import ANSWER
from input_iba.errors import ConfigError
from input_iba.modality.answers import Answerer
from tests.models.tiny_lm import ID, tiny_gpt2, tokenizer
from tests.models.tiny_tokenizers import byte_level, sentence_piece


def answered(answerer: Answerer, prompt: str, answer: str) -> list[int]:
    [sample], _ = answerer.asked([prompt], [GenerationTarget(answer)])
    return [id_ % ANSWER for id_ in sample.input.tolist()]


@pytest.mark.parametrize("make", [byte_level, sentence_piece])
@pytest.mark.parametrize(
    ("prompt", "answer", "whole"),
    [
        ("a great", "film", "a great film"),
        ("a great", " film", "a great film"),
        ("a great film:", "fun", "a great film: fun"),
        ("so dull", ", and bad", "so dull, and bad"),
        ("电 影", "很", "电 影很"),
    ],
)
def test_answers_follow_the_prompt_as_its_text_would(
    make: Any, prompt: str, answer: str, whole: str
) -> None:
    cuts = make()
    answerer = Answerer(nn.Identity(), cuts.pad_token_id, (), cuts)
    before, both = cuts(prompt)["input_ids"][:-1], cuts(whole)["input_ids"][:-1]
    alone = cuts(whole[len(prompt) :], add_special_tokens=False)["input_ids"]
    expected = both if both[: len(before)] == before else before + alone
    assert answered(answerer, prompt, answer) == expected


def test_an_answer_may_not_change_how_the_prompt_is_cut() -> None:
    cuts = byte_level()
    answerer = Answerer(nn.Identity(), cuts.pad_token_id, (), cuts)
    space, ends = cuts("a great ")["input_ids"][:-1], cuts("a great")["input_ids"][:-1]
    assert cuts("a great film")["input_ids"][: len(space)] != space
    alone = cuts("film", add_special_tokens=False)["input_ids"]
    assert answered(answerer, "a great ", "film") == space + alone
    assert answered(answerer, "a great</s>", "film")[: len(ends) + 1] == [*ends, cuts.eos_token_id]


def test_a_long_prompt_leaves_room_for_the_answer() -> None:
    cuts = tokenizer()
    answerer = Answerer(tiny_gpt2(), 0, (), cuts, limit=8)
    target = GenerationTarget("key1 key2", each_token=True)
    samples, questions = answerer.asked(["w1 w2 w3 w4 w5 w6 w7 w8 w9"], [target])
    assert len(samples) == len(questions) == 3
    assert [question.token for question in questions] == [None, 0, 1]
    assert len(samples[0].input) == 8
    assert samples[0].tokens == ("w4", "w5", "w6", "w7", "w8", "w9")  # the end of it
    assert samples[0].input[-1] == ID["key2"] + ANSWER
    with pytest.raises(ConfigError, match="no room for a prompt"):
        answerer.asked(["w1"], [GenerationTarget(torch.arange(8))])


def test_prompts_of_ids_are_answered_without_their_padding() -> None:
    answerer = Answerer(tiny_gpt2(), 0)
    ids = torch.tensor([[5, 6, 7], [8, 0, 0]])
    samples, _ = answerer.asked(list(ids), [GenerationTarget([9])] * 2)
    assert [len(sample.input) for sample in samples] == [4, 2]
    assert not any(sample.tokens for sample in samples)
