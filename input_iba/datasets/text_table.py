"""Texts of one's own in a table: csv, tsv or jsonl; what is wrong with a row is kept with it."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from input_iba.core.files import parse_json
from input_iba.datasets.ids import numbered
from input_iba.datasets.labels import classes_of, label_of
from input_iba.datasets.text_dataset import MAX_WORDS, TextDataset
from input_iba.datasets.tokens import read_text
from input_iba.errors import DataError, closest
from input_iba.registry import DATASETS

DELIMITERS = {".csv": ",", ".tsv": "\t"}
LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class TableRow:
    """A row: where it ends in the file, from 1; its cells by column; what is wrong, if anything."""

    line: int
    cells: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""


@DATASETS.register_module()
class TextTable(TextDataset):
    """Texts in the rows of a table; a row that cannot be used is a sample that fails.

    Classes are the labels in the order of their names. Labels that are whole numbers are the
    indices of the classes.

    Args:
        file: A .csv or .tsv, whose first line names the columns, or a .jsonl.
        text: Name of the column of texts.
        label: Name of the column of classes; None where texts are explained for the class that the
            classifier predicts.
        id: Name of the column of ids; None for the file's name with the row's number.
        select_cls: Label whose texts are taken; None for all.
        max_length: See `TextDataset`, as all that follow.
    """

    def __init__(
        self,
        file: str | Path,
        text: str = "text",
        label: str | None = None,
        id: str | None = None,
        select_cls: str | int | None = None,
        max_length: int | None = None,
        keep: str | None = None,
        vocabulary: str | Path | Mapping[str, Any] | None = None,
        max_words: int = MAX_WORDS,
        vector_cache: str | Path | None = None,
    ) -> None:
        place = Path(file)
        self.columns = [text, *([label] if label else [])]
        rows = _read_rows(place, [*self.columns, *([id] if id else [])])
        labels = [label_of(row.cells.get(label or "", "")) for row in rows]
        classes = classes_of(labels)
        self.indices_given = bool(classes) and classes == [str(i) for i in range(len(classes))]
        wanted = None if select_cls is None else str(select_cls)
        if wanted is not None:
            self.check_choice("select_cls", wanted, classes)
        taken = [i for i, name in enumerate(labels) if wanted in (None, name)]
        names = [row.cells.get(id or "") or f"{place.stem}_{i}" for i, row in enumerate(rows, 1)]
        ids = numbered(names)
        super().__init__(
            place,
            [ids[i] for i in taken],
            classes,
            [classes.index(labels[i]) if labels[i] else None for i in taken],
            [f"{place}:{rows[i].line}" for i in taken],
            max_length=max_length,
            keep=keep,
            max_words=max_words,
            vector_cache=vector_cache,
            vocabulary=vocabulary,
        )
        self.rows = [rows[i] for i in taken]

    def raw_text(self, index: int) -> str:
        """Return the text of a row."""
        row = self.rows[index]
        empty = [name for name in self.columns if not row.cells.get(name, "").strip()]
        wrong = row.wrong or (f"it has nothing in the column '{empty[0]}'" if empty else "")
        if wrong:
            raise DataError(f"Row at {self.path(index)}: {wrong}. Correct it or take it out.")
        return row.cells[self.columns[0]]

    def length(self, index: int) -> int:
        """Return the number of characters of a text."""
        return len(self.rows[index].cells.get(self.columns[0], ""))

    def content(self) -> list[Any]:
        """Return id and class of every text, and a checksum of all texts."""
        texts = repr([row.cells.get(self.columns[0]) for row in self.rows])
        return [hashlib.sha256(texts.encode()).hexdigest(), self.ids, self._targets]

    def vocabulary_file(self) -> Path:
        """Return where a vocabulary that is built from these texts is kept."""
        return self.place.with_name(f"{self.place.stem}_vocabulary_{self.max_words}.json")


def _read_rows(path: Path, columns: Sequence[str]) -> list[TableRow]:
    """Read the rows of a table, which has the columns; empty lines are left out."""
    suffix = path.suffix.lower()
    if suffix not in {*DELIMITERS, *LINES}:
        raise DataError(
            f"Table '{path}' ends in '{suffix}'; expected {', '.join([*DELIMITERS, *LINES])}."
        )
    if not path.is_file():
        raise DataError(
            f"Table '{path}': expected a file, found none. Check `file`; paths count from the "
            "folder the command is started in."
        )
    text = read_text(path)
    if suffix in LINES:
        rows = list(_objects(text))
        known = list(dict.fromkeys(name for row in rows for name in row.cells))
    else:
        rows, known = _cells(text, DELIMITERS[suffix])
    missing = [name for name in columns if name not in known]
    if missing and (known or not rows):
        found = f"has the columns {', '.join(known)}" if known else "is empty"
        raise DataError(
            f"Table '{path}' has no column {missing[0]!r}.{closest(missing[0], known)} It "
            f"{found}. Name the columns by `text`, `label` and `id`."
        )
    if not rows:
        raise DataError(f"Table '{path}' has no rows behind the names of its columns. Add some.")
    return rows


def _cells(text: str, delimiter: str) -> tuple[list[TableRow], list[str]]:
    """Return the rows of csv, and the names of the columns."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, names = list[TableRow](), list[str]()
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return rows, names
        except csv.Error as error:
            rows.append(TableRow(reader.line_num, wrong=f"it cannot be read: {error}"))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if not names:
            names = [cell.strip() for cell in cells]
        elif len(cells) != len(names):
            wrong = f"it has {len(cells)} cells, and there are {len(names)} columns"
            rows.append(TableRow(reader.line_num, wrong=wrong))
        else:
            rows.append(TableRow(reader.line_num, dict(zip(names, cells, strict=True))))


def _objects(text: str) -> Iterator[TableRow]:
    """Yield the rows of jsonl."""
    # Texts in JSON may hold other ends of lines, which `splitlines` would cut at.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = parse_json(line)
        except ValueError as error:
            yield TableRow(number, wrong=f"it is not JSON: {error}")
            continue
        if isinstance(found, dict):
            yield TableRow(number, {name: _cell(value) for name, value in found.items()})
        else:
            yield TableRow(number, wrong=f"it is not an object, but {type(found).__name__}")


def _cell(value: object) -> str:
    """Return a value of JSON as text; what is neither text nor a number is nothing."""
    return "" if value is None or isinstance(value, dict | list) else str(value)
