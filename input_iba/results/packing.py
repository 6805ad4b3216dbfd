"""Pack the files of finished samples into shards while a run goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from input_iba.core.files import written_whole
from input_iba.core.remote import join, put_whole
from input_iba.results.manifest import Manifest
from input_iba.results.sample_record import SampleRecord
from input_iba.results.shards import FOLDER, FORMAT, Index, pack, place_of
from input_iba.results.stored import StoredFiles


class Packer:
    """Takes records whose files lie loose in a work directory, and packs enough of them together.

    A shard is put where it belongs, then its index is written, and only then are the files removed
    that it holds: whenever a process is killed, each sample is loose, in a shard, or both. Each
    process has shards of its own, numbered on from those that it finds.

    Args:
        manifest: Of the run; what it says of it is the beginning of the shards' names.
        at: Folder or URL of the shards; None for `shards` in the work directory.
        size: Samples of a shard.
        rank: Number of this process.
    """

    def __init__(
        self, root: Path, manifest: Manifest, at: str | None, size: int, rank: int = 0
    ) -> None:
        self._root, self._at, self._size = root, at, size
        run = hashlib.sha256(f"{manifest.identity} {manifest.started}".encode()).hexdigest()[:8]
        self._name = f"{run}-{rank:04d}"
        self._waiting: list[SampleRecord] = []

    def add(self, records: Iterable[SampleRecord]) -> None:
        """Take records of finished samples, and pack what makes whole shards."""
        for record in records:
            if place_of(record.files) is not None:  # else of an early release; it stays loose
                self._waiting.append(record)
            if len(self._waiting) == self._size:
                self.close()

    def take_up(self, records: Iterable[SampleRecord]) -> None:
        """Take records of samples that an earlier run left loose, or packed and did not remove."""
        stored = StoredFiles(self._root)
        for record in records:
            if stored.packed(record.files):
                self._remove(record)
            else:
                self.add([record])

    def close(self) -> None:
        """Pack what waits, in a shard that may be a smaller one."""
        if not self._waiting:
            return
        folder = self._root / FOLDER
        index = folder / f"{self._name}-{self._next(folder):06d}.json"
        tar = index.with_suffix(".tar")
        with written_whole(tar) as aside, aside.open("wb") as stream:
            columns, samples = pack(self._root, stream, self._waiting)
        if self._at is not None:
            put_whole(tar, join(self._at, tar.name))
            tar.unlink()
        shard = tar.name if self._at is None else join(self._at, tar.name)
        Index(FORMAT, shard, columns, samples).write(index)
        for record in self._waiting:
            self._remove(record)
        self._waiting = []

    def _remove(self, record: SampleRecord) -> None:
        for file in record.files.values():
            (self._root / file).unlink(missing_ok=True)

    def _next(self, folder: Path) -> int:
        numbers = [int(path.stem[-6:]) for path in folder.glob(f"{self._name}-*.json")]
        return max(numbers, default=-1) + 1
