"""`records.jsonl`: one line per sample, appended as soon as the sample's files are there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal

from input_iba.results.writing import write_text


@dataclass(frozen=True)
class SampleRecord:
    """What a run reports about one sample.

    Attributes:
        id: The sample's id in its data set.
        status: 'done' or 'failed'.
        reason: Why it failed; empty when done.
        path: Where the sample came from.
        target: Class index explained; None for the caller's own loss and for failures.
        class_name: Name of `target`.
        target_probability: Probability of `target`, or None.
        prediction: Class index with the highest logit.
        predicted_class_name: Name of `prediction`.
        prediction_probability: Probability of `prediction`, or None.
        feature_peak: Largest value of the feature mask in bits per pixel, or None.
        seconds: Wall time per stage.
        files: From kind (`input_mask`, …) to the path inside the work directory.
        losses: Loss history per stage and part, rounded for reading.
        seed: Seed of the run.
    """

    id: str
    status: Literal["done", "failed"]
    reason: str = ""
    path: str = ""
    target: int | None = None
    class_name: str = ""
    target_probability: float | None = None
    prediction: int | None = None
    predicted_class_name: str = ""
    prediction_probability: float | None = None
    feature_peak: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    losses: Mapping[str, list[float | None]] = field(default_factory=dict)
    seed: int = 0


class RecordLog:
    """The records of a work directory; the last line about a sample counts.

    Args:
        path: The `records.jsonl`; made by the first `append`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, records: Iterable[SampleRecord]) -> None:
        """Add lines and see them to the disk before returning."""
        lines = "".join(_line(record) for record in records)
        with self.path.open("ab", buffering=0) as stream:
            stream.write(lines.encode())
            os.fsync(stream.fileno())

    def load(self) -> dict[str, SampleRecord]:
        """Read the latest record of each sample; a line cut off by a crash counts as absent."""
        if not self.path.is_file():
            return {}
        records: dict[str, SampleRecord] = {}
        for line in self.path.read_text(encoding="utf-8").splitlines():
            record = _parse(line)
            if record is not None:
                records[record.id] = record
        return records

    def tidy(self, order: Iterable[str] = ()) -> None:
        """Rewrite the file with one line per sample, those of `order` first and in that order."""
        records = self.load()
        if not records:
            return
        first = {id_: records[id_] for id_ in order if id_ in records}
        write_text(self.path, "".join(_line(record) for record in (first | records).values()))


def _line(record: SampleRecord) -> str:
    return json.dumps(asdict(record), allow_nan=False) + "\n"


def _parse(line: str) -> SampleRecord | None:
    try:
        values = json.loads(line)
        known = {item.name for item in fields(SampleRecord)}
        return SampleRecord(**{key: value for key, value in values.items() if key in known})
    except (ValueError, TypeError, AttributeError):
        return None
