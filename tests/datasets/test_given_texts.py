"""Texts that are given one by one, and their variations."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from input_iba.datasets import GivenTexts, TextVariations, build_dataset
from input_iba.datasets.given_texts import SENTENCES
from input_iba.errors import ConfigError


def test_every_text_is_there_once_for_every_target() -> None:
    dataset = GivenTexts(["A fine film.", "a fine film", "!"], ["pos", 0], ["neg", "POS"])
    assert dataset.ids == [
        *("A_fine_film_1_POS", "A_fine_film_1_neg", "a_fine_film_2_POS", "a_fine_film_2_neg"),
        *("text_POS", "text_neg"),
    ]
    assert [dataset.target(i) for i in range(6)] == [1, 0] * 3
    assert [dataset.text(i) for i in (0, 3, 4)] == ["A fine film.", "a fine film", "!"]
    assert dataset.class_names == ["neg", "POS"]
    alone = GivenTexts(["A fine film."])
    assert (alone.ids, alone.target(0), alone.class_names) == (["A_fine_film"], None, None)


def test_variations_hold_nothing_but_the_words_of_their_sources() -> None:
    long = "one two three four five six seven"
    dataset = TextVariations([long], n=300)
    sentences = SENTENCES.read_text(encoding="utf-8").splitlines()
    assert len(sentences) == len(set(sentences)) == 40
    sources = [long, *sentences]
    assert [dataset.text(i) for i in range(41)] == sources
    kinds = Counter[str]()
    for i in range(41, 300):
        words, source = dataset.text(i).split(), sources[i % 41].split()
        assert not Counter(words) - Counter(source)
        kinds["whole" if len(words) == len(source) else "part"] += 1
        kinds["in order" if " ".join(words) in " ".join(source) else "shuffled"] += 1
    assert min(kinds[kind] for kind in ("part", "in order", "shuffled")) > 50
    again = TextVariations([long], n=300)
    assert [again.text(i) for i in range(300)] == [dataset.text(i) for i in range(300)]


def test_texts_without_spaces_vary_by_letters() -> None:
    dataset = TextVariations(["电影很好看"], n=300)
    parts = {dataset.text(i) for i in range(41, 300, 41)}
    assert len(parts) > 3
    assert all(part and set(part) <= set("电影很好看") for part in parts)


@pytest.mark.parametrize(
    ("cfg", "said"),
    [
        ({"type": "GivenTexts", "texts": []}, "a list of texts, one or more"),
        ({"type": "GivenTexts", "texts": "fun"}, "a list of texts"),
        ({"type": "TextVariations", "texts": ["fun", " \n"]}, "Text 2 of 2 is empty"),
        ({"type": "TextVariations", "texts": ["fun"], "n": 0}, "at least 1; got 0"),
        (
            {
                "type": "GivenTexts",
                "texts": ["fun"],
                "targets": ["poss"],
                "classes": ["neg", "pos"],
            },
            "Closest: 'pos'",
        ),
    ],
)
def test_what_is_wrong(cfg: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_dataset(cfg)
