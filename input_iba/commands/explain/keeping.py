"""What came of samples is recorded, and their files are packed, several samples at a time."""

from __future__ import annotations

import time

from input_iba.commands.explain.job import Job
from input_iba.results import SampleRecord
from input_iba.results.packing import Packer
from input_iba.run.shell import LOGGER

SECONDS_KEPT = 1.0
"""For which a record waits at most to be written, since each write costs a disk a wait."""


class Keeper:
    """Records what came of samples, unless an earlier run has explained them."""

    def __init__(self, job: Job, packer: Packer | None) -> None:
        self._job, self._packer = job, packer
        self._waiting, self._since = list[SampleRecord](), time.monotonic()

    def add(self, record: SampleRecord) -> None:
        """Take the record of a sample whose files are written."""
        if record.status == "failed":
            LOGGER.error("sample %s failed: %s", record.id, record.reason)
        if record.id not in self._job.finished:
            self._waiting.append(record)
        if time.monotonic() - self._since > SECONDS_KEPT:
            self.flush()

    def flush(self) -> None:
        """Write all records that wait, at the end of a batch."""
        waiting, self._waiting, self._since = self._waiting, [], time.monotonic()
        if waiting:
            self._job.work.records.append(*waiting)
        if self._packer is not None:
            self._packer.add(record for record in waiting if record.status == "done")

    def close(self) -> None:
        """Write what waits, and pack what is left."""
        self.flush()
        if self._packer is not None:
            self._packer.close()
