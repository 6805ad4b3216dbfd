"""Planted words: each text has the word of its class once, at the place that is said."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from input_iba.datasets import PlantedWords, build_dataset
from input_iba.datasets.planted_words import neutral_words
from input_iba.errors import ConfigError


def made(**keys: Any) -> PlantedWords:
    dataset = build_dataset({"type": "PlantedWords", **keys})
    assert isinstance(dataset, PlantedWords)
    return dataset


def test_the_planted_word_is_the_class() -> None:
    dataset = made(n=90, words=("dull", "great"), lengths=(3, 7))
    assert dataset.class_names == ["dull", "great", "none"]
    lengths, places = set(), set()
    for i in range(90):
        sample = dataset[i]
        found = [word for word in sample.tokens if word in dataset.words]
        assert sample.target == i % 3
        if i % 3 == 2:
            assert (found, sample.evidence) == ([], None)
        else:
            assert sample.evidence is not None
            [place] = [place for place, is_evidence in enumerate(sample.evidence) if is_evidence]
            assert found == [sample.tokens[place]] == [("dull", "great")[i % 3]]
            places.add(place)
        lengths.add(len(sample.tokens))
        assert sample.input.tolist() == [dataset.vocabulary.index[word] for word in sample.tokens]
    assert lengths == set(range(3, 8))
    assert places == set(range(7))


def test_the_vocabulary_is_the_same_for_every_seed() -> None:
    first, other = made(n=3, others=50), made(n=3, others=50, seed=1)
    assert first.vocabulary == other.vocabulary
    assert len(first.vocabulary) == 2 + 2 + 50
    assert first.fingerprint() != other.fingerprint()
    assert not torch.equal(first[0].input, other[0].input)
    assert first.fingerprint() == made(n=3, others=50).fingerprint()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"words": ("a", "a")}, "different words"),
        ({"words": ("good film",)}, "different words in lower case"),
        ({"words": ("none", "all")}, "none of them 'none'"),
        ({"lengths": (5, 4)}, r"got \(5, 4\)"),
        ({"others": 1000}, f"is 1 to {len(neutral_words()) - 2} words; got 1000"),
        ({"n": 0}, "n ≥ 1"),
    ],
)
def test_what_cannot_be_planted(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        made(**keys)
