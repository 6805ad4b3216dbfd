"""`records.jsonl`: one line per sample, appended as soon as the sample's files are there.

Each process of a run appends to a file of its own, `records.rank1.jsonl` for the second. Readers
merge them, and `tidy` leaves one file. No two processes of a run explain the same sample, and a
run tidies before it appends, so what stands in another process's file is never older than what
`records.jsonl` says of the same sample.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal

from input_iba.results.writing import append_text, write_text


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
        top_classes: Name and probability of the five most probable classes, best first.
        feature_peak: Largest value of the feature mask in bits per pixel, or None.
        peak: By what the input mask is to be multiplied for the method's own units, or None.
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
    top_classes: list[list[str | float]] = field(default_factory=list)
    feature_peak: float | None = None
    peak: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    losses: Mapping[str, list[float | None]] = field(default_factory=dict)
    seed: int = 0

    def classes(self) -> list[tuple[str, float]]:
        """Return the most probable classes with their probabilities, and the explained one."""
        found = [(str(name), float(share)) for name, share in self.top_classes]
        told = self.class_name in [name for name, _ in found]
        if found and not told and self.target_probability is not None:
            found.append((self.class_name, self.target_probability))
        return found


class RecordLog:
    """The records of a work directory; the last line about a sample counts.

    Args:
        path: The `records.jsonl`; made by the first `append`.
        rank: Number of the process that appends.
    """

    def __init__(self, path: Path, rank: int = 0) -> None:
        self.path = path
        self.own = path.with_suffix(f".rank{rank}{path.suffix}") if rank else path

    def append(self, records: Iterable[SampleRecord]) -> None:
        """Add lines and see them to the disk before returning."""
        append_text(self.own, "".join(_line(record) for record in records))

    def load(self) -> dict[str, SampleRecord]:
        """Read the latest record of each sample; a line cut off by a crash counts as absent."""
        records: dict[str, SampleRecord] = {}
        for path in (self.path, *self._others()):
            if path.is_file():
                for line in path.read_text(encoding="utf-8").splitlines():
                    record = _parse(line)
                    if record is not None:
                        records[record.id] = record
        return records

    def tidy(self, order: Iterable[str] = ()) -> None:
        """Rewrite as one file with one line per sample, those of `order` first and in that order.

        No other process may append meanwhile.
        """
        records = self.load()
        others = self._others()
        if records:
            first = {id_: records[id_] for id_ in order if id_ in records}
            write_text(self.path, "".join(_line(record) for record in (first | records).values()))
        for path in others:
            path.unlink()

    def _others(self) -> list[Path]:
        """Return the files of processes other than the first."""
        return sorted(self.path.parent.glob(f"{self.path.stem}.rank*{self.path.suffix}"))


def _line(record: SampleRecord) -> str:
    return json.dumps(asdict(record), allow_nan=False) + "\n"


def _parse(line: str) -> SampleRecord | None:
    try:
        values = json.loads(line)
        known = {item.name for item in fields(SampleRecord)}
        return SampleRecord(**{key: value for key, value in values.items() if key in known})
    except (ValueError, TypeError, AttributeError):
        return None
