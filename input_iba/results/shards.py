"""Tar shards as WebDataset reads them, and the index by which one file is read out of them.

The files of a sample lie one behind the other, as `KEY.KIND.EXT`, and its record as `KEY.json`. The
index of a shard is a JSON file in `shards/` of the work directory, which is written once the shard
is where it belongs: a shard that no index names does not count.
"""

from __future__ import annotations

import io
import json
import logging
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from input_iba.core.files import read_json
from input_iba.core.remote import is_url, read_range
from input_iba.errors import DataError
from input_iba.results.checked import checked
from input_iba.results.containment import refuse_outside
from input_iba.results.sample_record import SampleRecord
from input_iba.results.writing import write_text

LOGGER = logging.getLogger(__name__)

FOLDER = "shards"
"""Of a work directory: the indices, and the shards that do not lie elsewhere."""

FORMAT = 1

BLOCK = tarfile.BLOCKSIZE
"""Bytes; everything in a tar begins at a multiple of them."""


@dataclass(frozen=True)
class Index:
    """What lies where in a shard.

    Attributes:
        shard: Where it is: the name of a file beside the index, a path, or a URL.
        columns: Kind, folder and ending of the files that a sample may have.
        samples: By the place of a sample's files in each of these folders: the block in which its
            files begin, and how many blocks each has with its header; 0 where there is none.
    """

    format: int
    shard: str
    columns: list[list[str]]
    samples: Mapping[str, list[int]]

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_text(path, json.dumps(vars(self), separators=(",", ":")) + "\n")


@dataclass(frozen=True)
class Member:
    """A file in a shard, which is opened as a path is, and read without the rest of the shard.

    Attributes:
        file: The path by which its record names it.
        entry: Its name in the shard, which lies at `shard`.
        start: Byte in which its header begins; `length` bytes with it.
    """

    file: str
    shard: str
    entry: str
    start: int
    length: int

    def __str__(self) -> str:
        return f"{self.file} in {self.shard}"

    @property
    def suffix(self) -> str:
        """Return the ending, with the dot."""
        return PurePosixPath(self.file).suffix

    @property
    def stamp(self) -> str:
        """Return what changes when the file is written again."""
        return f"{self.length}/{self.start} in {PurePosixPath(self.shard).name}"

    def open(self, mode: Literal["rb"] = "rb") -> IO[bytes]:
        """Read it, and return what was read as a file.

        Raises:
            DataError: The shard cannot be read, or has something else in its place.
        """
        return io.BytesIO(_content(self))


@lru_cache(maxsize=4)  # a map is opened for its header, and again for its values
def _content(member: Member) -> bytes:
    found = read_range(member.shard, member.start, member.length)
    try:
        with tarfile.open(fileobj=io.BytesIO(found), mode="r:") as tar:
            first = tar.next()
            if first is None or first.name != member.entry or not first.isreg():
                raise ValueError(f"there is {'nothing' if first is None else repr(first.name)}")
            if first.size > len(found):
                raise ValueError(f"it says to have {first.size} bytes")
            content = tar.extractfile(first)
            assert content is not None
            return content.read()
    except (tarfile.TarError, ValueError, OSError) as error:
        raise DataError(
            f"Shard '{member.shard}' does not have {member.entry!r} where its index says: {error}. "
            "It was cut off or written over: put it back, or explain its samples again with "
            "--resume once its index is removed."
        ) from error


def place_of(files: Mapping[str, str]) -> str | None:
    """Return the place of a sample's files, the same in every folder; None where it is not.

    >>> place_of({"map": "maps/0/a.npz", "heat": "overlays/0/a.png"})
    '0/a'
    """
    places = {split(file)[1] for file in files.values()}
    return places.pop() if len(places) == 1 else None


def split(file: str) -> tuple[str, str, str]:
    """Return folder, place and ending of a file.

    >>> split("maps/0/a.b.npz")
    ('maps', '0/a.b', '.npz')
    """
    folder, _, rest = file.partition("/")
    place, ending = os.path.splitext(rest)  # noqa: PTH122  many thousands are asked for
    return folder, place, ending


def pack(
    root: Path, stream: IO[bytes], records: Iterable[SampleRecord]
) -> tuple[list[list[str]], dict[str, list[int]]]:
    """Write the files of records, which have a place each, as a tar; see `Index` for the result.

    The bytes depend on the files and records alone. They are on the disk before this returns.
    """
    chosen = list(records)
    parts = {(kind, *split(file)) for record in chosen for kind, file in record.files.items()}
    columns = sorted({(kind, folder, ending) for kind, folder, _, ending in parts})
    samples: dict[str, list[int]] = {}
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for record in chosen:
            place = place_of(record.files)
            assert place is not None
            at = stream.tell()
            row = [at // BLOCK]
            for kind, folder, ending in columns:
                file = f"{folder}/{place}{ending}"
                if record.files.get(kind) == file:
                    _add(tar, _entry(place, kind, ending), (root / file).read_bytes())
                row.append((stream.tell() - at) // BLOCK)
                at = stream.tell()
            said = json.dumps(vars(record), allow_nan=False, default=dict).encode()
            _add(tar, _entry(place, "json"), said)
            samples[place] = row
    stream.flush()
    os.fsync(stream.fileno())
    return [list(column) for column in columns], samples


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _entry(place: str, kind: str, ending: str = "") -> str:
    """Return a name in a shard, of which WebDataset takes what is before the first dot as key."""
    return f"{place.replace('.', '%2E')}.{kind}{ending}"


def indices(root: Path) -> Iterator[Index]:
    """Read the indices of a work directory; one that is broken counts as absent.

    Raises:
        DataError: A shard is said to lie outside the work directory, on a way that leads there.
    """
    for path in sorted((root / FOLDER).glob("*.json")):
        try:
            found = checked(Index, read_json(path))
            width = len(found.columns) + 1
            if found.format != FORMAT or {len(column) for column in found.columns} - {3}:
                raise ValueError(f"format {found.format}, expected {FORMAT}")
            if any(len(row) != width or min(row) < 0 for row in found.samples.values()):
                raise ValueError("samples without their files")
        except (OSError, ValueError, TypeError) as error:
            LOGGER.warning("'%s' cannot be read as the index of a shard: %s.", path, error)
            continue
        if not is_url(found.shard) and not Path(found.shard).is_absolute():
            refuse_outside(root, [f"{FOLDER}/{found.shard}"], path)
        yield found


def member(root: Path, index: Index, file: str) -> Member | None:
    """Return where a file lies in a shard; None where it has none of that name."""
    folder, place, ending = split(file)
    start, *lengths = index.samples[place]
    for (kind, at, end), length in zip(index.columns, lengths, strict=True):
        if length and (at, end) == (folder, ending):
            near = not is_url(index.shard)  # beside the index, unless the path is absolute
            shard = str(root / FOLDER / index.shard) if near else index.shard
            entry = _entry(place, kind, ending)
            return Member(file, shard, entry, start * BLOCK, length * BLOCK)
        start += length
    return None
