"""Rows of tables in files: csv, tsv and jsonl; what is wrong with a row is kept with it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from input_iba.datasets.text_files import read_text
from input_iba.errors import DataError, closest

DELIMITERS = {".csv": ",", ".tsv": "\t"}
LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class TableRow:
    """A row.

    Attributes:
        line: Where it ends in the file, from 1.
        cells: By column.
        wrong: What is wrong with it, or nothing.
    """

    line: int
    cells: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""

    def without(self, columns: Sequence[str]) -> str:
        """Return what is wrong with the row, also that one of some columns has nothing in it."""
        empty = [name for name in columns if not self.cells.get(name, "").strip()]
        return self.wrong or (f"it has nothing in the column '{empty[0]}'" if empty else "")


def read_rows(path: Path, columns: Sequence[str]) -> list[TableRow]:
    """Read the rows of a table; empty lines are left out.

    Args:
        path: A file whose ending says its format. Cells of csv and tsv in double quotes may hold
            delimiters and line breaks; the first line of these names the columns.
        columns: Those that are needed.

    Raises:
        DataError: The file cannot be read, is of another format, has no rows, or lacks a column.
    """
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
            found = json.loads(line)
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
