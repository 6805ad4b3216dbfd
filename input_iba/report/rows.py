"""The samples of a work directory as table and page show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from input_iba.drawing import Row
from input_iba.drawing.words import Shown
from input_iba.errors import DataError
from input_iba.report.pictures import with_pictures
from input_iba.results import SampleRecord, TextMask, WorkDir, read_text_mask

WORD_MASKS = ("input_mask", "feature_mask", "prior_mask")


def rows_of(work: WorkDir, ids: Iterable[str] | None = None) -> list[Row]:
    """Return the samples of a work directory as they are shown.

    Args:
        work: The work directory.
        ids: Which, and in which order; None for all in the order of the records.
    """
    records = work.records.load()
    chosen = (records[id_] for id_ in (records if ids is None else ids) if id_ in records)
    return [_row(record, work.root) for record in chosen]


def _row(record: SampleRecord, root: Path) -> Row:
    text = "highlights" in record.files
    masks = _word_masks(record, root) if text else {}
    return Row(
        id=record.id,
        class_name=record.class_name,
        probability=record.target_probability,
        predicted_class_name=record.predicted_class_name,
        predicted_probability=record.prediction_probability,
        classes=record.classes(),
        seconds=record.seconds,
        feature_peak=record.feature_peak,
        files=record.files if text else with_pictures(root, record.files),
        failure=(record.reason or "no reason given") if record.status == "failed" else "",
        text=next(iter(masks.values())).shown if masks else Shown(()),
        word_masks={kind: found.mask.tolist() for kind, found in masks.items()},
        losses=record.losses,
    )


def _word_masks(record: SampleRecord, root: Path) -> Mapping[str, TextMask]:
    """Read the words of a text with each of its masks; nothing where a file is gone."""
    found = {}
    for kind in WORD_MASKS:
        if kind in record.files:
            try:
                found[kind] = read_text_mask(root / record.files[kind])
            except DataError:
                continue
    return found
