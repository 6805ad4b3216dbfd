"""Word vectors: every kind of file, words that are missing, files that are damaged."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
import torch

from input_iba.datasets.vocabulary import Vocabulary
from input_iba.datasets.word_vectors import load_word_vectors
from input_iba.errors import DataError
from tests.datasets.reviews import write_vectors

VOCABULARY = Vocabulary(("<unk>", "<pad>", "film", "great", "zebra"))
WORDS = {"the": 1.0, "film": 0.5, "great": -2.0, ". . .": 3.0}
NAME = "glove.6B.3d.txt"


def packed(folder: Path, kind: str) -> Path:
    plain = write_vectors(folder / NAME, WORDS, 3)
    if kind == "txt":
        return plain
    if kind == "gz":
        path = folder / "glove.6B.3d.imdb.txt.gz"
        path.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        path = folder / ("glove.6B.zip" if kind == "zip" else "glove.3d.zip")
        with zipfile.ZipFile(path, "w") as archive:
            if kind == "zip":
                archive.writestr("glove.6B.50d.txt", "film 1 2")
            archive.write(plain, NAME if kind == "zip" else "vectors.txt")
    plain.unlink()
    return path


@pytest.mark.parametrize("kind", ["txt", "gz", "zip", "zip of one"])
def test_known_words_are_read_and_others_drawn(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path, kind)
    found = load_word_vectors(VOCABULARY, tmp_path, 3)
    assert (found.path, found.known, found.values.dtype) == (path, 2, torch.float32)
    assert found.values[1:4].tolist() == [[0.0] * 3, [0.5] * 3, [-2.0] * 3]
    assert torch.equal(found.values, load_word_vectors(VOCABULARY, tmp_path, 3).values)
    other = load_word_vectors(VOCABULARY, tmp_path, 3, seed=1).values
    changed = (found.values != other).any(1).tolist()
    assert changed == [True, False, False, False, True]


def test_drawn_vectors_are_standard_normal(tmp_path: Path) -> None:
    write_vectors(tmp_path / NAME, WORDS, 3)
    many = Vocabulary((*VOCABULARY.words, *(f"w{i}" for i in range(5000))))
    drawn = load_word_vectors(many, tmp_path, 3).values[5:]
    assert abs(float(drawn.mean())) < 0.03
    assert abs(float(drawn.std()) - 1) < 0.03


def test_the_head_of_word2vec_and_repeated_words_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("film 3\ngreat 1 2 3\ngreat 7 8 9\n")
    found = load_word_vectors(VOCABULARY, tmp_path, 3)
    assert found.known == 1
    assert found.values[3].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (NAME, b"the 1 2 3\nfilm 1 2\n", r"line 2: expected 3 numbers after 'film', got 2"),
        (NAME, b"film 1 x 3\n", "line 1: could not convert"),
        (NAME, b"other 1 2 3\n", "no word of the vocabulary"),
        ("glove.3d.txt.gz", b"film 1 2 3\n", "damaged"),
        ("glove.3d.txt.gz", gzip.compress(b"film 1 2 3\n" * 99, mtime=0)[:-12], "damaged"),
        ("glove.3d.zip", b"film 1 2 3\n", "damaged"),
        ("glove.30d.txt", b"film 1 2 3\n", r"found glove\.30d\.txt\. Put glove\.6B\.3d\.txt there"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_word_vectors(VOCABULARY, tmp_path, 3)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found nothing\. Put .*nlp\.stanford\.edu"):
        load_word_vectors(VOCABULARY, tmp_path / "none", 3)
