"""Texts of one's own in tables: what stands in a cell comes out of it, and bad rows fail alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.datasets import TextTable, build_dataset
from input_iba.errors import ConfigError, DataError
from tests.datasets.test_text_folder import texts as folder

CELLS = ['He said "fun",\nand left.', "电影 😀", " 'a;b'\tc ", "Größe – 10/10"]


def table(file: Path, **keys: Any) -> TextTable:
    dataset = build_dataset({"type": "TextTable", "file": str(file), **keys})
    assert isinstance(dataset, TextTable)
    return dataset


def write(file: Path, cells: list[str], encoding: str = "utf-8") -> Path:
    with file.open("w", encoding=encoding, newline="") as stream:
        if file.suffix == ".jsonl":
            stream.writelines(json.dumps({"text": cell}) + "\n" for cell in cells)
        else:
            writer = csv.writer(stream, delimiter="," if file.suffix == ".csv" else "\t")
            writer.writerows([["text", "n"], *([cell, i] for i, cell in enumerate(cells))])
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
def test_texts_come_out_as_they_went_in(name: str, encoding: str, tmp_path: Path) -> None:
    dataset = table(write(tmp_path / name, CELLS, encoding))
    assert [dataset.text(i) for i in range(len(dataset))] == CELLS
    assert dataset.ids == ["a_1", "a_2", "a_3", "a_4"]
    assert dataset.class_names is None


@given(
    cells=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1)
)
def test_any_text_comes_out_of_every_format(
    cells: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    cells = [f"x{cell}" for cell in cells]
    for name in ("a.csv", "a.tsv", "a.jsonl"):
        dataset = table(write(tmp_path_factory.mktemp("table") / name, cells))
        assert [dataset.raw_text(i) for i in range(len(dataset))] == cells


def targets_of(dataset: TextTable) -> list[int | None]:
    return [dataset.target(i) for i in range(len(dataset))]


def test_labels_are_classes_and_ids_stay_unique(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("who,said,mood\nA,fun,gay\na,dull,sad\nb/c,flat,sad\n,x,gay\n")
    dataset = table(tmp_path / "a.csv", text="said", label="mood", id="who")
    assert dataset.class_names == ["gay", "sad"]
    assert dataset.ids == ["A_1", "a_2", "b/c", "a_4"]
    assert targets_of(dataset) == [0, 1, 1, 0]
    assert not dataset.indices_given
    sad = table(tmp_path / "a.csv", text="said", label="mood", select_cls="sad")
    assert (sad.ids, targets_of(sad)) == (["a_2", "a_3"], [1, 1])


def test_labels_that_are_numbers_are_indices(tmp_path: Path) -> None:
    rows = [{"text": "fun", "label": 2}, {"text": "dull", "label": 0}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = table(tmp_path / "a.jsonl", label="label")
    assert (dataset.class_names, targets_of(dataset)) == (["0", "1", "2"], [2, 0])
    assert dataset.indices_given
    assert table(tmp_path / "a.jsonl", label="label", select_cls=2).ids == ["a_1"]


def test_bad_rows_of_csv_fail_alone(tmp_path: Path) -> None:
    lines = [
        "text,label",
        "fun,gay",
        "too,many,cells",
        " ,sad",
        "",
        "dull,",
        '"a"b,sad',
        "flat,sad",
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    dataset = table(tmp_path / "a.csv", label="label", vocabulary=_vocabulary(tmp_path))
    said = _said(dataset)
    assert [text for text in said if not text.startswith("Row")] == ["fun", "flat"]
    for part in (
        "a.csv:3: it has 3 cells, and there are 2 columns",
        "nothing in the column 'text'",
    ):
        assert any(part in text for text in said)
    assert any("a.csv:6: it has nothing in the column 'label'" in text for text in said)
    assert any("a.csv:7: it cannot be read" in text for text in said)


def test_bad_lines_of_jsonl_fail_alone(tmp_path: Path) -> None:
    lines = ['{"text": "fun\\u2028film"}', "{", "[1]", "", '{"text": null}', '{"text": ["a"]}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    said = _said(table(tmp_path / "a.jsonl", vocabulary=_vocabulary(tmp_path)))
    assert [text.startswith("Row") for text in said] == [False, True, True, True, True]
    assert "a.jsonl:2: it is not JSON" in said[1]
    assert "a.jsonl:3: it is not an object, but list" in said[2]


def _vocabulary(folder_: Path) -> dict[str, str]:
    (folder_ / "words").mkdir()
    (folder_ / "words" / "a.txt").write_text("fun flat")
    assert len(folder(folder_ / "words")) == 1
    return {"type": "TextFolder", "root": str(folder_ / "words")}


def _said(dataset: TextTable) -> list[str]:
    """Return the words of every sample, or why it fails."""
    found = []
    for i in range(len(dataset)):
        try:
            found.append(" ".join(dataset[i].tokens))
        except DataError as error:
            found.append(str(error))
    return found


def test_the_fingerprint_is_that_of_the_texts(tmp_path: Path) -> None:
    prints = [table(write(tmp_path / "a.csv", CELLS)).fingerprint()]
    (tmp_path / "moved").mkdir()
    prints.append(table(write(tmp_path / "moved" / "a.csv", CELLS)).fingerprint())
    assert len(set(prints)) == 1
    assert table(write(tmp_path / "a.csv", [*CELLS[:3], "other"])).fingerprint() != prints[0]


def test_its_vocabulary_is_kept_beside_it(tmp_path: Path) -> None:
    training = {"type": "TextTable", "file": str(write(tmp_path / "a.csv", ["fun", "fun film"]))}
    assert table(tmp_path / "a.csv", vocabulary=training).vocabulary.words[2:] == ("fun", "film")
    assert (tmp_path / "a_vocabulary_25000.json").is_file()


@pytest.mark.parametrize(
    ("content", "keys", "said"),
    [
        ("texts,n\na,1\n", {}, "no column 'text'. Closest: 'texts'. It has the columns texts, n"),
        ("text\na\n", {"label": "mood"}, "no column 'mood'"),
        ("", {}, "no column 'text'. It is empty"),
        ("text,n\n", {}, "no rows behind"),
    ],
)
def test_what_is_wrong_with_a_table(
    content: str, keys: dict[str, Any], said: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        table(tmp_path / "a.csv", **keys)


def test_what_is_not_a_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ends in '\.xlsx'; expected \.csv, \.tsv"):
        table(tmp_path / "a.xlsx")
    with pytest.raises(DataError, match=r"expected a file, found none\. Check `file`"):
        table(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="Unknown key 'path'"):
        table(tmp_path / "a.csv", path="x")
