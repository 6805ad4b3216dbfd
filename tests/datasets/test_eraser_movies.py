"""Movie reviews with human evidence: which words are evidence, windows, and broken files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.datasets import EraserMovies, PieceDataset, build_dataset
from input_iba.datasets.eraser_movies import richest_window
from input_iba.errors import ConfigError, DataError
from input_iba.records import TextSample
from tests.models.tiny_bert import tokenizer

DULL = "it 's a film ,\nso flatly dull that i did n't watch .\nbad ."
FUN = "great fun , and so good !"


def annotation(name: str, group: str, *words: tuple[int, int]) -> dict[str, Any]:
    parts = [{"docid": name, "start_token": first, "end_token": last} for first, last in words]
    return {"annotation_id": name, "classification": group, "evidences": [[p] for p in parts]}


TRAIN = (annotation("posR_001.txt", "POS", (0, 2)), annotation("negR_000.txt", "NEG", (5, 8)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, "train", *TRAIN)
    write(tmp_path, "val", annotation("negR_800.txt", "NEG", (6, 8), (10, 13)))
    (tmp_path / "docs").mkdir()
    for name, text in (("negR_000", DULL), ("posR_001", FUN), ("negR_800", DULL)):
        (tmp_path / "docs" / f"{name}.txt").write_text(text, encoding="utf-8")
    return tmp_path


def write(root: Path, split: str, *rows: Any) -> None:
    root.mkdir(exist_ok=True)
    (root / f"{split}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def reviews(root: Path, **keys: Any) -> EraserMovies:
    dataset = build_dataset({"type": "EraserMovies", "root": str(root), **keys})
    assert isinstance(dataset, EraserMovies)
    return dataset


def evidence(sample: TextSample) -> list[str]:
    assert sample.evidence is not None
    assert len(sample.evidence) == len(sample.tokens)
    return [w for w, marked in zip(sample.tokens, sample.evidence, strict=True) if marked]


def test_samples(root: Path) -> None:
    dataset = reviews(root)
    assert dataset.ids == ["negR_000", "posR_001"]
    assert dataset.class_names == ["neg", "pos"]
    assert [dataset[i].target for i in range(2)] == [0, 1]
    assert evidence(dataset[0]) == ["so", "flatly", "dull"]
    assert evidence(dataset[1]) == ["great", "fun"]
    assert dataset[1].text == FUN
    assert dataset[0].path == str(root / "docs" / "negR_000.txt")
    assert reviews(root, select_cls="pos").ids == ["posR_001"]


def test_words_of_another_tokenizer_are_evidence_where_a_marked_one_is(root: Path) -> None:
    dataset = reviews(root, split="val")
    assert evidence(dataset[0]) == ["flatly", "dull", "did", "n", "'", "t", "watch"]
    assert dataset.vocabulary == reviews(root).vocabulary, "always that of the train split"
    pieces = PieceDataset(dataset, tokenizer(), None)
    sample = pieces[0]
    assert evidence(sample) == ["flatly", "dull", "did", "n", "'", "t", "watch"]
    assert sample.mask == tokenizer().mask_token_id
    assert dataset[0].mask == 0


@pytest.mark.parametrize("keep", ["first", "last"])
def test_evidence_stays_beside_its_words_in_texts_that_are_cut(root: Path, keep: str) -> None:
    for length in range(3, 18):
        of_words = reviews(root, split="val", keep=keep, max_length=length)[0]
        pieces = PieceDataset(reviews(root, split="val", keep=keep), tokenizer(), length)[0]
        for sample in (of_words, pieces):
            marked = {"flatly", "dull", "did", "n", "'", "t", "watch", "ly", "flat"}
            assert set(evidence(sample)) <= marked
            # The apostrophe of "'s" is none of the words that were marked.
            left = [w for w in sample.tokens if w in marked - {"'"}]
            assert [w for w in evidence(sample) if w != "'"] == left


def test_a_window_holds_the_most_evidence(root: Path) -> None:
    dataset = reviews(root, split="val", window=4)
    assert dataset.text(0) == "i did n't watch"
    sample = dataset[0]
    assert sample.text == "i did n't watch"
    assert sample.spans == ((0, 1), (2, 5), (6, 7), (7, 8), (8, 9), (10, 15))
    assert evidence(sample) == ["did", "n", "'", "t", "watch"]
    pieces = PieceDataset(dataset, tokenizer(), None)[0]
    assert evidence(pieces) == ["did", "n", "'", "t", "watch"]
    assert dataset.length(0) == len("i did n't watch")
    assert reviews(root, split="val", window=99).text(0) == DULL


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.data())
def test_no_other_window_is_richer(marked: list[bool], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(marked)))
    first = richest_window(marked, size)
    held = [sum(marked[i : i + size]) for i in range(len(marked) - size + 1)]
    assert held[first] == max(held)


def test_what_changes_a_sample_changes_the_fingerprint(root: Path) -> None:
    whole, cut = reviews(root, split="val"), reviews(root, split="val", window=4)
    pieces = [PieceDataset(of, tokenizer(), None) for of in (whole, cut)]
    assert whole.fingerprint() == reviews(root, split="val").fingerprint()
    assert whole.fingerprint() != cut.fingerprint()
    assert pieces[0].fingerprint() != pieces[1].fingerprint()
    write(root, "val", annotation("negR_800.txt", "NEG", (6, 8)))
    assert reviews(root, split="val").fingerprint() != whole.fingerprint()
    (root / "docs" / "negR_800.txt").write_text(DULL.replace("bad", "sad"))
    assert reviews(root, split="val", window=4).fingerprint() != cut.fingerprint()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"split": "dev"}, "one of train, val, test"),
        ({"select_cls": "good"}, "one of neg, pos"),
        ({"window": 0}, "`window` of EraserMovies must be at least 1, got 0"),
        ({"window": 2.5}, "got 2.5"),
        ({"keep": "middle"}, "one of first, last"),
    ],
)
def test_wrong_keys_are_refused(root: Path, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        reviews(root, **keys)


def test_absent_files_are_named(root: Path) -> None:
    with pytest.raises(DataError, match=r"expected the file 'test.jsonl' and the documents"):
        reviews(root, split="test")
    (root / "docs" / "negR_800.txt").unlink()
    with pytest.raises(DataError, match=r"negR_800.txt' cannot be read"):
        reviews(root, split="val")[0]


def test_evidence_behind_the_end_of_its_text_is_refused(root: Path) -> None:
    write(root, "val", annotation("negR_800.txt", "NEG", (14, 99)))
    with pytest.raises(DataError, match=r"has 16 words, and its evidence reaches to word 99"):
        reviews(root, split="val")[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "Line 1 .* is no annotated review"),
        ("[]", "no annotated review"),
        ('{"annotation_id": "a"}', "KeyError: 'classification'"),
        (json.dumps(annotation("a", "FINE")), "unknown class 'FINE'"),
        (json.dumps(annotation("../a", "POS")), "no name of a file"),
        (json.dumps(annotation("a", "POS", (4, 4))), "evidence from word 4 to 4"),
        ("", "holds no reviews"),
    ],
)
def test_broken_annotations_are_refused(root: Path, line: str, said: str) -> None:
    (root / "val.jsonl").write_text(line)
    with pytest.raises(DataError, match=said):
        reviews(root, split="val")


@pytest.mark.data
def test_the_marked_words_are_those_that_the_annotations_spell_out(data_root: Path) -> None:
    root = data_root / "eraser_movies"
    if not root.is_dir():
        pytest.skip("INPUT_IBA_DATA has no movie reviews with evidence")
    dataset = EraserMovies(root, split="val")
    rows = [json.loads(line) for line in (root / "val.jsonl").read_text().splitlines()]
    parts = {
        Path(row["annotation_id"]).stem: [part for parts in row["evidences"] for part in parts]
        for row in rows
    }
    assert len(dataset) == len(parts) == 200
    for index, id_ in enumerate(dataset.ids):
        text = dataset.text(index)
        spelled = {word for part in parts[id_] for word in part["text"].split()}
        assert {text[first:last] for first, last in dataset.marked(index)} == spelled
