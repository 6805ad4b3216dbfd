"""What is printed of samples that were named on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from input_iba.results import RecordLog, SampleRecord


def tell_samples(root: Path, tell: Callable[[SampleRecord], Iterator[str]]) -> str:
    """Return what is printed of the samples in a work directory.

    Args:
        root: The work directory.
        tell: Yields the lines of one that is done.
    """

    def told(record: SampleRecord) -> Iterator[str]:
        if record.status == "done":
            yield from tell(record)
        else:
            yield f"{record.id}: failed: {record.reason}"

    records = RecordLog(root / "records.jsonl").load().values()
    return "\n\n".join("\n".join(told(record)) for record in records)


def class_lines(record: SampleRecord) -> Iterator[str]:
    """Yield the most probable classes of a sample, and the one that was explained."""
    rows, explained = record.classes(), record.class_name
    width = max((len(name) for name, _ in rows), default=0)
    for name, chance in rows:
        mark = "  <- explained" if name == explained else ""
        yield f"  {name.ljust(width)}  {100 * chance:5.1f} %{mark}"
