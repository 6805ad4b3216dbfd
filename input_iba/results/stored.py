"""The files of a work directory by the paths that records name, loose or in shards."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from input_iba.core.files import Readable
from input_iba.results.shards import Index, Member, indices, member, place_of, split


class StoredFiles:
    """Finds the files of a work directory; what lies loose counts before what is in shards.

    Args:
        root: The work directory; any other folder has files, and no shards.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def at(self, file: str) -> Readable:
        """Return what a record's path stands for, to be read; the path where nothing is there."""
        if self._is_loose(file):
            return self.root / file
        return self._member(file) or self.root / file

    def have(self, files: Mapping[str, str]) -> bool:
        """Return whether every file of a sample, by its kind, is there."""
        return self.packed(files) or all(
            self._is_loose(file) or self._member(file) for file in files.values()
        )

    def packed(self, files: Mapping[str, str]) -> bool:
        """Return whether every file of a sample is in a shard."""
        place = place_of(files) if self._by_place else None
        if place is None or place not in self._by_place:
            return False
        index = self._by_place[place]
        lengths = index.samples[place][1:]
        kinds = {kind for (kind, _, _), n in zip(index.columns, lengths, strict=True) if n}
        return kinds == files.keys()

    def loose(self, files: Mapping[str, str]) -> bool:
        """Return whether a sample's first file lies loose, be it in a shard as well or not."""
        return self._is_loose(next(iter(files.values())))

    def below(self, folder: str) -> list[str]:
        """Return the files in shards that belong to a folder of the work directory."""
        found = []
        for place, index in self._by_place.items():
            for (_, at, ending), length in zip(
                index.columns, index.samples[place][1:], strict=True
            ):
                if at == folder and length:
                    found.append(f"{folder}/{place}{ending}")
        return found

    def _is_loose(self, file: str) -> bool:
        return os.path.isfile(f"{self.root}/{file}")  # noqa: PTH113  many thousands are asked for

    def _member(self, file: str) -> Member | None:
        index = self._by_place.get(split(file)[1])
        return None if index is None else member(self.root, index, file)

    @cached_property
    def _by_place(self) -> dict[str, Index]:
        """Return the index that counts for each place: the last one."""
        return {place: index for index in indices(self.root) for place in index.samples}


class ListedFiles(StoredFiles):
    """The files as they are when their folder is first asked about: one look for thousands."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._names: dict[str, set[str]] = {}

    def _is_loose(self, file: str) -> bool:
        folder, _, name = file.rpartition("/")
        if folder not in self._names:
            names = set[str]()
            # What cannot be listed counts as not there, as where each file is asked for.
            with suppress(OSError), os.scandir(self.root / folder) as entries:
                names.update(entry.name for entry in entries if entry.is_file())
            self._names[folder] = names
        return name in self._names[folder]
