"""Vocabularies: order, unknown words, and what is kept on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.core.padding import PAD_INDEX
from input_iba.datasets.vocabulary import (
    SPECIALS,
    UNKNOWN_INDEX,
    Vocabulary,
    build_vocabulary,
    stored_vocabulary,
)
from input_iba.errors import DataError

TEXTS = [["b", "a", "c", "c"], ["d", "b", "<pad>", "<unk>", "<pad>"]]


def unexpected() -> NoReturn:
    raise AssertionError("the texts were read again")


def stored(path: Path, built_from: str = "texts") -> Vocabulary:
    return stored_vocabulary(path, {"fingerprint": built_from}, lambda: TEXTS, 3)


def test_special_indices() -> None:
    assert (SPECIALS[UNKNOWN_INDEX], SPECIALS[PAD_INDEX]) == ("<unk>", "<pad>")


def test_special_words_of_a_text_are_unknown_and_not_counted() -> None:
    vocabulary = build_vocabulary(TEXTS, 10)
    assert vocabulary.words == ("<unk>", "<pad>", "b", "c", "a", "d")
    assert vocabulary.encode(["c", "<pad>", "zebra", "<unk>"]).tolist() == [3, 0, 0, 0]


@given(st.lists(st.lists(st.sampled_from("aAbé1.'"))), st.integers(1, 8))
def test_order_is_by_frequency_then_code_point(texts: list[list[str]], size: int) -> None:
    flat = [token for text in texts for token in text]
    # As torchtext up to 0.8: alphabetically, then stably by frequency.
    alphabetical = sorted(set(flat))
    expected = sorted(alphabetical, key=flat.count, reverse=True)[:size]
    vocabulary = build_vocabulary(texts, size)
    assert list(vocabulary.words[2:]) == expected
    for word in flat:
        index = int(vocabulary.encode([word]))
        assert vocabulary.words[index] == (word if word in expected else "<unk>")


def test_it_is_kept_and_not_built_again(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    first = stored(path)
    again = stored_vocabulary(path, {"fingerprint": "texts"}, unexpected, 3)
    assert again == first
    assert again.digest() == first.digest() != build_vocabulary(TEXTS, 2).digest()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_one_of_other_texts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    stored(path)
    with pytest.raises(DataError, match=r"expected .*'other'.*got .*'texts'.*train the class"):
        stored(path, "other")


@pytest.mark.parametrize("content", ["", "[1]", '{"words": 3, "built_from": 1}', '{"words": []}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vocabulary.json"
    path.write_text(content)
    with pytest.raises(DataError, match="Delete it"):
        stored(path)


def test_words_must_begin_with_the_special_ones(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps({"words": ["the", "a"], "built_from": {"fingerprint": "texts"}}))
    with pytest.raises(DataError, match=r"first ones <unk>, <pad>; got \['the'"):
        stored(path)


def test_texts_without_words(tmp_path: Path) -> None:
    nothing: Iterable[list[str]] = [[], ["<pad>"]]
    with pytest.raises(DataError, match="no words"):
        stored_vocabulary(tmp_path / "v.json", {}, lambda: nothing, 3)


def test_where_nothing_can_be_written_it_is_built_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "write_text", refuse)
    assert len(stored(tmp_path / "v.json")) == 5
    assert "cannot be kept" in caplog.text
