"""Lists of classes, samples, scores, words and texts that are broken: read or refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.commands.evaluate.samples import read_scores
from input_iba.datasets.base import SampleDataset
from input_iba.datasets.class_index import Classes, classes_of_file
from input_iba.datasets.eraser_movies import EraserMovies
from input_iba.datasets.ids import select_ids
from input_iba.datasets.text_table import TextTable
from input_iba.datasets.vocabulary import Vocabulary, read_vocabulary
from input_iba.errors import InputIBAError
from tests.reliability.conftest import Evidence
from tests.reliability.fuzz.bounded import read_or_refused, readable, tried
from tests.reliability.fuzz.mutations import changed_bytes, changed_data
from tests.reliability.fuzz.test_images import SECTION

IDS = ["cat__1", "cat__2", "dog__1", "7"]
INDEX = {str(i): [f"n{i:08d}", f"name {i}"] for i in range(4)}
SCORES = {"rows": {id_: {"target": 1, "pred": 0.5} for id_ in IDS}, "metric": "target_scores"}
WORDS = {"words": ["<unk>", "<pad>", "film", "a", "é"], "built_from": {"texts": "x"}}
ROW = {"id": "a", "text": "A fine film.", "label": 1}
EVIDENCE = {"docid": "r.txt", "start_token": 1, "end_token": 3}
REVIEW = {"annotation_id": "r.txt", "classification": "POS", "evidences": [[EVIDENCE]]}


def rows_of(dataset: SampleDataset) -> list[str | InputIBAError]:
    """Return every text of a data set, or what is wrong with it."""
    assert len(set(dataset.ids)) == len(dataset)
    found: list[str | InputIBAError] = []
    for i in range(len(dataset)):
        try:
            found.append(str(dataset.text(i)))  # type: ignore[attr-defined]
        except InputIBAError as error:
            assert readable(str(error))
            found.append(error)
    dataset.content()
    return found


def reviews_in(path: Path) -> list[str | InputIBAError]:
    return rows_of(EraserMovies(path.parent, vocabulary=path.parent / "words.json"))


def finite(scores: Any) -> bool:
    return all(isinstance(value, float) and math.isfinite(value) for value in scores.values())


@dataclass(frozen=True)
class Kind:
    """A kind of list: the file's name, what it holds, what reads it, and what then is right."""

    name: str
    right: Sequence[Any]
    read: Callable[[Path], Any]
    holds: Callable[[Any], bool]

    def written(self, content: Any) -> bytes:
        """Return content as a file has it; surrogates and all that JSON of Python may hold."""
        lines = content if self.name.endswith("jsonl") and isinstance(content, list) else [content]
        return "\n".join(map(json.dumps, lines)).encode()


KINDS = {
    "class index files": Kind(
        "index.json",
        [INDEX],
        classes_of_file,
        lambda found: isinstance(found, Classes) and len(found.names) <= 1_000_000,
    ),
    "subset files": Kind(
        "subset.txt",
        [IDS[:2]],
        lambda path: select_ids(IDS, path),
        lambda found: set(found) <= set(IDS) and len(found) > 0,
    ),
    "target scores": Kind("scores.json", [SCORES], read_scores, finite),
    "vocabularies": Kind(
        "words.json",
        [WORDS],
        read_vocabulary,
        lambda found: isinstance(found, Vocabulary) and len(found.encode(["film"])) == 1,
    ),
    "tables of texts": Kind(
        "table.jsonl",
        [[ROW, {**ROW, "id": "b", "label": 0}]],
        lambda path: rows_of(TextTable(path, label="label", id="id")),
        lambda found: len(found) > 0,
    ),
    "reviews with evidence": Kind("train.jsonl", [[REVIEW, REVIEW]], reviews_in, lambda _: True),
}
MENDED = (
    "JSON that is nested too deeply, class indices without end, numbers of thousands of digits and "
    "scores that are not finite ended in tracebacks, took all memory, or were read"
)
HEADS = {
    "subset files": [b"cat__1\n# none\ndog__1.png\n", b"0\n2\n", '\ufeff["cat__1"]'.encode()],
    "tables of texts": [b""],
}
HOSTILE = [
    b"",
    b"\0",
    b"\xff\xfe[\0]\0",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"9" * 5000,
    b'{"99999999999": ["n", "x"]}',
    b'{"-1": ["n", "x"], "1_0": ["m", "y"]}',
    b'{"rows": {"a": {"pred": NaN}}}',
    b'{"rows": {"a": {"pred": 1e999}}}',
    b'{"words": ["<unk>", "<pad>", "\\ud800"], "built_from": 1}',
    b'{"id": "\\ud800", "text": "\\ud800 x", "label": "' + b"9" * 5000 + b'"}',
    b'{"id": "x", "text": "a\\u0000b", "label": "\\u0663"}',
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lists")
    (root / "docs").mkdir()
    (root / "docs" / "r.txt").write_text("A fine film , they say .")
    (root / "words.json").write_text(json.dumps(WORDS))
    return root


def check(kind: Kind, folder: Path, content: bytes) -> bool:
    """Return whether a file's content is read; else it is refused by name."""
    path = folder / kind.name
    path.write_bytes(content)
    found = read_or_refused(lambda: kind.read(path), seconds=5, megabytes=128)
    if isinstance(found, InputIBAError):
        assert kind.name in str(found)
        return False
    assert kind.holds(found), found
    return True


@pytest.mark.parametrize("name", KINDS)
def test_broken_lists_are_read_or_refused(name: str, folder: Path, evidence: Evidence) -> None:
    kind, counts = KINDS[name], {True: 0, False: 0}
    whole = [*map(kind.written, kind.right), *HEADS.get(name, [])]

    @tried(40, 250)
    @given(content=changed_bytes(whole))
    def bytes_changed(content: bytes) -> None:
        counts[check(kind, folder, content)] += 1

    @tried(40, 250)
    @given(content=st.sampled_from(kind.right).flatmap(changed_data))
    def values_changed(content: Any) -> None:
        counts[check(kind, folder, kind.written(content))] += 1

    for content in HOSTILE:
        counts[check(kind, folder, content)] += 1
    bytes_changed()
    values_changed()
    (folder / "words.json").write_text(json.dumps(WORDS))
    assert min(counts.values()) > 0
    evidence(
        SECTION,
        f"{name} with changed bytes, changed values, deep, long and huge ones",
        sum(counts.values()),
        f"{counts[True]} read, {counts[False]} refused by name",
        MENDED,
    )
