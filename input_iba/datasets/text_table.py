"""Texts of one's own in a table: csv, tsv or jsonl."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from input_iba.datasets.ids import numbered
from input_iba.datasets.table_rows import TableRow, read_rows
from input_iba.datasets.text_dataset import MAX_WORDS, TextDataset, known_vocabulary
from input_iba.errors import DataError
from input_iba.registry import DATASETS

MAX_CLASSES = 100_000
"""Whole numbers from here on are names of classes, not their indices."""


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
        max_length: See `TextDataset`, as `keep`, `max_words` and `vector_cache`.
        vocabulary: Of a classifier without a tokenizer of its own: the file that was kept beside
            its training set, or the config of that data set.

    Raises:
        ConfigError: An argument is out of its range.
        DataError: The file cannot be read, or lacks a column.
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
        rows = read_rows(place, [*self.columns, *([id] if id else [])])
        labels = [_label(row.cells.get(label or "", "")) for row in rows]
        classes = _classes(labels)
        self.indices_given = bool(classes) and classes == [str(i) for i in range(len(classes))]
        wanted = None if select_cls is None else str(select_cls)
        if wanted is not None:
            self.check_choice("select_cls", wanted, classes)
        taken = [i for i, name in enumerate(labels) if wanted in (None, name)]
        names = [row.cells.get(id or "") or f"{place.stem}_{i}" for i, row in enumerate(rows, 1)]
        every = numbered(names)
        super().__init__(
            place,
            [every[i] for i in taken],
            classes or None,
            max_length=max_length,
            keep=keep,
            max_words=max_words,
            vector_cache=vector_cache,
            vocabulary=known_vocabulary(vocabulary),
        )
        self.rows: list[TableRow] = [rows[i] for i in taken]
        self.targets = [classes.index(labels[i]) if labels[i] else None for i in taken]

    def raw_text(self, index: int) -> str:
        """Return the text of a row.

        Raises:
            DataError: The row cannot be used.
        """
        wrong = self.rows[index].without(self.columns)
        if wrong:
            raise DataError(f"Row at {self.path(index)}: {wrong}. Correct it or take it out.")
        return self.rows[index].cells[self.columns[0]]

    def target(self, index: int) -> int | None:
        """Return the index of the row's label, or None where it has none."""
        return self.targets[index]

    def path(self, index: int) -> str:
        """Return the file, and the line that the row ends in."""
        return f"{self.place}:{self.rows[index].line}"

    def length(self, index: int) -> int:
        """Return the number of characters of a text."""
        return len(self.rows[index].cells.get(self.columns[0], ""))

    def content(self) -> list[Any]:
        """Return id and class of every text, and a checksum of all texts."""
        texts = repr([row.cells.get(self.columns[0]) for row in self.rows])
        return [hashlib.sha256(texts.encode()).hexdigest(), self.ids, self.targets]

    def vocabulary_file(self) -> Path:
        """Return where a vocabulary that is built from these texts is kept."""
        return self.place.with_name(f"{self.place.stem}_vocabulary_{self.max_words}.json")


def _label(cell: str) -> str:
    """Return a label as its class is called: '01' is '1'."""
    return str(int(cell)) if cell.strip().isdecimal() else cell.strip()


def _classes(labels: Sequence[str]) -> list[str]:
    """Return the names of the classes, by index.

    >>> _classes(["2", "0", "2"]), _classes(["sad", "gay", "", "sad"])
    (['0', '1', '2'], ['gay', 'sad'])
    """
    found = sorted({label for label in labels if label})
    if found and all(label.isdecimal() and int(label) < MAX_CLASSES for label in found):
        return [str(index) for index in range(max(map(int, found)) + 1)]
    return found


DATASETS.register_module(name="TextTable", module=TextTable)
