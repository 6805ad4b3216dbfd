"""MiniLM as it searches texts: the words that make two sentences alike are those one would name."""

from __future__ import annotations

import pytest

from input_iba import EmbeddingTarget, InputIBA
from input_iba.datasets import given_texts
from input_iba.models import MiniLMClassifier

FOUND = (
    ("The cat sat on the warm windowsill.", "A kitten is resting by the window.", "cat"),
    ("Our train was cancelled because of heavy snow.", "winter weather", "snow"),
    (
        "My old laptop overheats with many browser tabs.",
        "The computer gets hot.",
        "overheats laptop",
    ),
    ("Whisk the eggs before adding the flour.", "How do I beat eggs?", "eggs Whisk"),
    ("The committee postponed the vote.", "The decision was delayed.", "postponed"),
)


@pytest.mark.slow
def test_the_words_that_make_two_sentences_alike_come_first() -> None:
    folder = MiniLMClassifier(num_classes=2).tokenizer_place
    plain = given_texts.SENTENCES.read_text().splitlines()
    iba = InputIBA(folder).fit([*plain, *(text for text, _, _ in FOUND)])
    for text, other, named in FOUND:
        found = iba.attribute(text, EmbeddingTarget(iba.embed(other)[0]))[0]
        assert found.asked == "similarity to the reference"
        assert 0.2 < found.target_probability < 1
        first = max(found.words, key=lambda word: word[1])[0]
        assert first in named.split(), (text, other, found.words)
