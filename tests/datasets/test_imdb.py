"""Movie reviews as samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from input_iba.datasets import GridMosaic, IMDBDataset, build_dataset
from input_iba.datasets.text_dataset import load_texts
from input_iba.datasets.word_vectors import load_word_vectors
from input_iba.errors import ConfigError, DataError
from input_iba.records import TextSample
from tests.datasets.reviews import write_reviews

WORDS = ("<unk>", "<pad>", ".", "dull", "great", "a", "film", "!", "'", ",", "and", "fine", "flat")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_reviews(tmp_path / "aclImdb").parent


def reviews(root: Path, **keys: Any) -> IMDBDataset:
    dataset = build_dataset({"type": "IMDBDataset", "root": str(root), **keys})
    assert isinstance(dataset, IMDBDataset)
    return dataset


def test_samples(root: Path) -> None:
    dataset = reviews(root)
    assert dataset.vocabulary.words[: len(WORDS)] == WORDS
    assert dataset.class_names == ["neg", "pos"]
    assert dataset.ids == ["0_2", "1_1", "0_9", "1_10"]
    sample = dataset[2]
    assert isinstance(sample, TextSample)
    assert sample.tokens == ("a", "great", ",", "great", "film", "!")
    assert sample.input.dtype == torch.int64
    assert [WORDS[i] for i in sample.input.tolist()] == list(sample.tokens)
    assert [dataset[i].target for i in range(4)] == [0, 0, 1, 1]
    assert sample.path == str(root / "aclImdb/train/pos/0_9.txt")


@pytest.mark.parametrize(
    ("keys", "ids"),
    [
        ({"split": "test"}, ["0_3", "1_4", "0_8", "1_7"]),
        ({"split": "test", "select_cls": "pos"}, ["0_8", "1_7"]),
        ({"select_cls": "neg", "vector_cache": "data/vector_cache/"}, ["0_2", "1_1"]),
    ],
)
def test_splits_and_classes(root: Path, keys: dict[str, Any], ids: list[str]) -> None:
    dataset = reviews(root, **keys)
    assert dataset.ids == ids
    assert dataset.vocabulary == reviews(root).vocabulary, "always that of the train split"


def test_words_never_seen_are_unknown(root: Path) -> None:
    sample = reviews(root, split="test")[2]
    assert sample.tokens == ("great", "zebra", "fun")
    assert (sample.input == 0).tolist() == [False, True, False]


def test_long_reviews_are_cut_to_their_end(root: Path) -> None:
    assert reviews(root, max_length=3)[2].tokens == ("great", "film", "!")
    assert reviews(root, max_length=99)[2].tokens == reviews(root)[2].tokens
    assert reviews(root, max_length=3, keep="last")[2].tokens == ("great", "film", "!")
    assert reviews(root, max_length=3, keep="first")[2].tokens == ("a", "great", ",")


def test_samples_carry_the_text_as_it_stands(root: Path) -> None:
    sample = reviews(root)[0]
    assert sample.text == "A dull film.\n\nDull."
    assert list(sample.shown.words) == ["A", "dull", "film", ".", "Dull", "."]
    assert sample.tokens == ("a", "dull", "film", ".", "dull", ".")
    assert "".join(reviews(root, max_length=2)[0].shown.parts) == "… Dull."
    assert "".join(reviews(root, max_length=2, keep="first")[0].shown.parts) == "A dull …"


def test_three_thousand_tokens_stay_whole(root: Path) -> None:
    (root / "aclImdb/test/pos/0_8.txt").write_text("great " * 3000)
    assert reviews(root, split="test", select_cls="pos")[0].input.shape == (3000,)


@pytest.mark.parametrize("text", ["", " \n", '"" ;', "<br />"])
def test_an_empty_review_fails_alone(
    root: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (root / "aclImdb/train/neg/0_2.txt").write_text(text)
    dataset = reviews(root)
    with pytest.raises(DataError, match=r"0_2\.txt' is empty"):
        dataset[0]
    texts, targets = load_texts(dataset)
    assert [len(texts), targets.tolist()] == [3, [0, 1, 1]]
    assert "0_2.txt" in caplog.text


def test_some_wrong_bytes_are_replaced_with_a_warning(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = reviews(root)
    (root / "aclImdb/train/neg/0_2.txt").write_bytes("a very dull café film".encode("latin-1"))
    assert dataset[0].tokens == ("a", "very", "dull", "caf\ufffd", "film")
    assert "0_2.txt' is not all UTF-8" in caplog.text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp037"])
def test_another_encoding_is_an_error_of_that_review(root: Path, encoding: str) -> None:
    dataset = reviews(root)
    (root / "aclImdb/train/neg/0_2.txt").write_bytes("a very dull film".encode(encoding))
    with pytest.raises(DataError, match=r"0_2\.txt' is not text in UTF-8"):
        dataset[0]
    assert dataset[1].tokens == ("dull", "and", "flat")


def test_a_mark_of_byte_order_is_no_token(root: Path) -> None:
    dataset = reviews(root)
    (root / "aclImdb/train/neg/0_2.txt").write_bytes("dull".encode("utf-8-sig"))
    assert dataset[0].tokens == ("dull",)


def test_bad_reviews_are_left_out_of_the_vocabulary(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (root / "aclImdb/train/neg/0_2.txt").write_bytes("dull".encode("utf-16"))
    assert "dull" in reviews(root).vocabulary.words
    assert "0_2.txt" in caplog.text


def test_changed_reviews_do_not_change_the_vocabulary_silently(root: Path) -> None:
    reviews(root)
    (root / "aclImdb/train/pos/2_9.txt").write_text("superb")
    with pytest.raises(DataError, match="built from other texts"):
        reviews(root)
    (root / "aclImdb/vocabulary_25000.json").unlink()
    assert "superb" in reviews(root).vocabulary.words


def test_max_words(root: Path) -> None:
    assert reviews(root, max_words=2).vocabulary.words == WORDS[:4]
    assert len(reviews(root).vocabulary) > 4, "each size has a file of its own"


def test_the_fingerprint_is_that_of_what_is_explained(root: Path, tmp_path: Path) -> None:
    first = reviews(root).fingerprint()
    moved = write_reviews(tmp_path / "elsewhere/aclImdb").parent
    assert reviews(moved).fingerprint() == first
    for keys in ({"split": "test"}, {"select_cls": "pos"}, {"max_length": 3}, {"max_words": 3}):
        assert reviews(root, **keys).fingerprint() != first, keys
    ends = {reviews(root, max_length=3, keep=keep).fingerprint() for keep in ("first", "last")}
    assert len(ends) == 2
    (moved / "aclImdb/train/pos/0_9.txt").write_text("another")
    (moved / "aclImdb/vocabulary_25000.json").unlink()
    assert reviews(moved).fingerprint() != first


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"split": "tests"}, "one of train, test; got 'tests'. Closest: 'test'"),
        ({"select_cls": "positive"}, "one of neg, pos; got 'positive'"),
        ({"max_length": 0}, "`max_length` of IMDBDataset must be at least 1, got 0"),
        ({"keep": "end"}, "`keep` of IMDBDataset is one of first, last; got 'end'"),
        ({"max_words": True}, "`max_words` of IMDBDataset must be at least 1, got True"),
        ({"vectors": "x"}, "Unknown key 'vectors'.*Closest: 'vector_cache'"),
    ],
)
def test_wrong_keys(root: Path, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        reviews(root, **keys)


def test_a_missing_class_folder_is_named(root: Path) -> None:
    for path in (root / "aclImdb/test/pos").iterdir():
        path.unlink()
    assert len(reviews(root)) == 4
    with pytest.raises(DataError, match=r"No reviews in '.*test/pos'. Expected the layout"):
        reviews(root, split="test")


def test_a_mosaic_needs_images(root: Path) -> None:
    with pytest.raises(ConfigError, match="needs images; IMDBDataset has none"):
        GridMosaic({"type": "IMDBDataset", "root": str(root)}, [])


@pytest.mark.data
def test_real_reviews(data_root: Path) -> None:
    root = data_root / "aclImdb"
    if not root.is_dir() or not (data_root / "vector_cache").is_dir():
        pytest.skip("INPUT_IBA_DATA has no reviews, or no word vectors")
    dataset = reviews(root, split="test")
    vocabulary = dataset.vocabulary
    assert vocabulary.words[2:6] == ("the", ".", ",", "and")
    unknown = [(dataset[i].input == 0).float().mean() for i in range(0, len(dataset), 97)]
    assert 0 < float(torch.stack(unknown).mean()) < 0.1
    assert {"great", "awful", "film"} <= set(vocabulary.words)
    vectors = load_word_vectors(vocabulary, data_root / "vector_cache")
    assert vectors.known > 0.9 * len(vocabulary)
    assert 0.1 < float(vectors.values.std()) < 1
