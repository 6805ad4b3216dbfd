"""The samples of a work directory as table and page show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePosixPath
from typing import overload

import numpy as np
from numpy.typing import NDArray

from input_iba.drawing import Shown, colourise, heat_of, percent, scale_to_range, to_8_bits
from input_iba.drawing.tables import UNKNOWN, lay_out, width_of
from input_iba.drawing.words import printable
from input_iba.errors import DataError
from input_iba.report.model import Row
from input_iba.results import (
    SampleRecord,
    StoredFiles,
    TextMask,
    WorkDir,
    read_text_mask,
    write_image,
)
from input_iba.results.map_files import read_map
from input_iba.results.opened_log import OpenedLog
from input_iba.results.sample_writer import IMAGE_PLACES
from input_iba.results.shards import Member

WORD_MASKS = {
    "map": "map",
    "input_mask": "input mask",
    "feature_mask": "feature mask",
    "prior_mask": "prior",
}
"""Masks of a text, and what they are called."""

Draw = Callable[[NDArray[np.float64]], NDArray[np.uint8]]

DRAWN: Mapping[str, tuple[str, Draw]] = {
    "heat": ("input_mask", lambda mask: to_8_bits(heat_of(mask))),
    "prior_mask_picture": ("prior_mask", lambda mask: colourise(scale_to_range(mask))),
}
"""Images that work directories of earlier releases lack: the mask shown, and how it is drawn."""

MAX_LISTED = 200
"""Lines of a table."""

HEAD = ("sample", "class", "probability", "seconds", "files")
MAX_WIDTH = 32
"""Columns of a terminal that a name may take."""


class LoggedRows(Sequence[Row]):
    """The samples of a work directory as they are shown; each is read when it is asked for.

    Args:
        work: Nobody writes to it meanwhile.
        ids: Which samples, in which order; None for all.
        before: Stands before every path.
        scores: By sample id: from metric and key to what an evaluation found.

    Attributes:
        briefs: All of them, in short.
    """

    def __init__(
        self,
        work: WorkDir,
        ids: Iterable[str] | None = None,
        before: str = "",
        scores: Mapping[str, Mapping[str, float]] = {},
    ) -> None:
        self._records = OpenedLog(work.records)
        self._stored = StoredFiles(work.root)
        self._before, self._scores = before, scores
        known = (id_ for id_ in (self._records if ids is None else ids))
        found = (record for id_ in known if (record := self._records.get(id_)) is not None)
        self.briefs = [self._row(record).brief() for record in found]

    def __len__(self) -> int:
        return len(self.briefs)

    @overload
    def __getitem__(self, number: int) -> Row: ...

    @overload
    def __getitem__(self, number: slice) -> list[Row]: ...

    def __getitem__(self, number: int | slice) -> Row | list[Row]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        return self._row(self._records[self.briefs[number].id])

    def _row(self, record: SampleRecord) -> Row:
        row = _row(record, self._stored)
        files = {kind: self._before + path for kind, path in row.files.items()}
        return replace(row, files=files, scores=self._scores.get(row.id, {}))


def _row(record: SampleRecord, stored: StoredFiles) -> Row:
    text = "highlights" in record.files
    masks = _word_masks(record, stored) if text else {}
    there = {kind: stored.at(file) for kind, file in record.files.items()}
    return Row(
        id=record.id,
        class_name=record.class_name,
        probability=record.target_probability,
        predicted_class_name=record.predicted_class_name,
        predicted_probability=record.prediction_probability,
        classes=record.classes(),
        seconds=record.seconds,
        warning=record.warning,
        believed=record.believed,
        map_bits=record.map_bits,
        feature_peak=record.feature_peak,
        files=record.files if text else _with_images(stored, record.files),
        packed={kind: at for kind, at in there.items() if isinstance(at, Member)},
        failure=(record.reason or "no reason given") if record.status == "failed" else "",
        text=next(iter(masks.values())).shown if masks else Shown(()),
        word_masks={kind: found.mask.tolist() for kind, found in masks.items()},
        losses=record.losses,
    )


def _word_masks(record: SampleRecord, stored: StoredFiles) -> Mapping[str, TextMask]:
    """Read the words of a text with each of its masks; nothing where a file is gone."""
    found = {}
    for kind in (kind for kind in WORD_MASKS if kind in record.files):
        with suppress(DataError):
            found[kind] = read_text_mask(stored.at(record.files[kind]))
    return found


def _with_images(stored: StoredFiles, files: Mapping[str, str]) -> dict[str, str]:
    """Return the files of an image, from kind to path, with those that were missing drawn.

    Where a mask cannot be read or an image cannot be written, the page does without it.
    """
    found = dict(files)
    for kind, (mask, draw) in DRAWN.items():
        if kind in files or mask not in files:
            continue
        folder, extension = IMAGE_PLACES[kind]
        # Below the folder of its kind, a file has the same place as the mask.
        place = PurePosixPath(folder, *PurePosixPath(files[mask]).parts[1:]).with_suffix("")
        path = f"{place}{extension}"
        with suppress(DataError, OSError):
            if not (stored.root / path).is_file():
                drawn = draw(read_map(stored.at(files[mask])).numpy())
                write_image(stored.root / path, drawn)
            found[kind] = path
    return found


def format_table(rows: Sequence[Row]) -> str:
    """Lay rows out in columns of a terminal.

    >>> print(format_table([Row("cat", "tabby", 0.9, seconds={"a": 1.0},
    ...                         files={"input_mask": "input_masks/cat.npz"})]))
    sample  class  probability  seconds  files
    cat     tabby         90 %      1.0  input_masks/cat.npz
    """
    table = lay_out([HEAD, *map(_cells, rows[:MAX_LISTED])], right=(2, 3))
    more = len(rows) - MAX_LISTED
    return table if more <= 0 else f"{table}\nand {more:,} more in records.jsonl"


def _cells(row: Row) -> tuple[str, ...]:
    name = _short(printable(row.id))
    if row.failure:
        return name, UNKNOWN, UNKNOWN, UNKNOWN, f"failed: {row.failure}"
    file = row.files.get("map", row.files.get("input_mask", ""))
    class_name, seconds = _short(printable(row.class_name)), f"{row.total_seconds:.1f}"
    warned = f"{file} ({row.warning})" if row.warning else file
    return name, class_name, percent(row.probability), seconds, warned


def _short(text: str) -> str:
    while width_of(text) > MAX_WIDTH:
        text = f"{text.removesuffix('…')[:-1]}…"
    return text
