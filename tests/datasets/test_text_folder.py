"""Texts of one's own in folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from input_iba.datasets import PieceDataset, TextFolder, build_dataset
from input_iba.errors import ConfigError, DataError
from tests.datasets.reviews import write_reviews
from tests.models.tiny_bert import tokenizer

TEXTS = {
    "sad": {"b": "Dull, dull film.", "a": ""},
    "happy": {"a": "It’s “great”\r\nfun: 电影!", "ü": "great"},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (write_reviews(tmp_path / "mine", TEXTS) / "sad" / "notes.md").write_text("no text")
    return tmp_path / "mine"


def texts(root: Path, **keys: Any) -> TextFolder:
    dataset = build_dataset({"type": "TextFolder", "root": str(root), **keys})
    assert isinstance(dataset, TextFolder)
    return dataset


def test_classes_are_the_folders_in_the_order_of_their_names(root: Path) -> None:
    dataset = texts(root)
    assert dataset.class_names == ["happy", "sad"]
    assert dataset.ids == ["happy__a", "ü", "sad__a", "b"]
    assert [dataset.target(i) for i in range(4)] == [0, 0, 1, 1]
    only = texts(root, select_cls="sad")
    assert (only.ids, only.class_names, only.target(0)) == (["a", "b"], ["happy", "sad"], 1)


def test_a_flat_folder_has_no_targets(root: Path) -> None:
    dataset = texts(root / "happy")
    assert dataset.class_names is None
    assert [dataset.target(i) for i in range(2)] == [None, None]


def test_words_are_read_with_the_vocabulary_of_a_training_set(root: Path) -> None:
    training = {"type": "TextFolder", "root": str(root), "max_words": 3}
    dataset = texts(root, vocabulary=training)
    assert dataset.vocabulary.words == ("<unk>", "<pad>", "dull", "!", ",")
    sample = dataset[0]
    assert sample.tokens == ("it’s", "“great”", "fun", "电影", "!")
    assert sample.input.tolist() == [0, 0, 0, 0, 3]
    assert sample.text == "It’s “great”\nfun: 电影!"
    assert list(sample.shown.words) == ["It’s", "“great”", "fun", "电影", "!"]
    kept = texts(root, vocabulary=root / "vocabulary_3.json")
    assert kept.vocabulary == dataset.vocabulary
    assert kept.fingerprint() == dataset.fingerprint() != texts(root).fingerprint()


def test_a_blank_file_fails_alone(root: Path) -> None:
    dataset = texts(root, vocabulary={"type": "TextFolder", "root": str(root)})
    with pytest.raises(DataError, match=r"sad/a\.txt' is empty"):
        dataset[2]
    assert dataset[3].tokens == ("dull", ",", "dull", "film", ".")


def test_a_tokenizer_reads_them_without_a_vocabulary(root: Path) -> None:
    sample = PieceDataset(texts(root), tokenizer(), None)[3]
    assert sample.tokens == ("Dull", ",", "dull", "film", ".")
    assert sample.text == "Dull, dull film."
    with pytest.raises(ConfigError, match=r"have no vocabulary.*Set `vocabulary` of TextFolder"):
        texts(root)[0]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"select_cls": "hapy"}, "one of happy, sad; got 'hapy'. Closest: 'happy'"),
        ({"keep": "end"}, "`keep` of TextFolder is one of first, last"),
        ({"max_length": 0}, "`max_length` of TextFolder must be at least 1"),
        ({"split": "train"}, "Unknown key 'split'"),
        ({"vocabulary": {"type": "Samples", "pipeline": []}}, "expected the config of a data set"),
    ],
)
def test_wrong_keys(root: Path, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        texts(root, **keys)


def test_what_is_not_there_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a folder, found nothing there\. Check `root`"):
        texts(tmp_path / "none")
    (root / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty' has no texts \(\.txt\)"):
        texts(root)
    with pytest.raises(DataError, match=r"none\.json' cannot be read.*Give one that was kept"):
        texts(root / "sad", vocabulary="none.json")
