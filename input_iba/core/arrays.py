"""Arrays of files that anybody may have written: nothing in them runs, none unfolds into more."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from input_iba.core.files import Readable, written_whole

MAX_BYTES = 2**31
"""Of all arrays that are read of a file: no map of an image that Pillow reads has more."""

ENDING = ".npy"
"""Of what an npz holds, each an array under its name."""

HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Declared(NamedTuple):
    """What a file says of an array before its values."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write named arrays as a compressed npz, whole or not at all."""
    with written_whole(path) as aside, aside.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def declared_arrays(path: Readable) -> dict[str, Declared]:
    """Return what the arrays of an npz are, by name; of an npy its only one, without a name.

    Raises:
        OSError: The file cannot be opened.
        ValueError: It is neither, or an array holds objects, or says to be larger than it is.
    """
    found = {}
    with _broken(), path.open("rb") as stream:
        for name, content, size in _contents(stream):
            found[name] = _declared(content, size)
    return found


def read_array(path: Readable, name: str = "") -> NDArray[Any]:
    """Read one array of an npz, or the only one of an npy, which has no name; see above."""
    found = read_arrays(path, {name})
    if name not in found:
        raise ValueError(f"it has no array {name!r}")
    return found[name]


def read_arrays(path: Readable, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Read those arrays of an npz that have one of some names; see above."""
    found, left = {}, MAX_BYTES
    with _broken(), path.open("rb") as stream:
        for name, content, size in _contents(stream):
            if name in names:
                left -= _declared(content, size).bytes
                if left < 0:
                    raise ValueError(f"at most {MAX_BYTES:,} bytes of arrays are read")
                content.seek(0)
                found[name] = npy.read_array(content, allow_pickle=False)
    return found


@contextmanager
def _broken() -> Iterator[None]:
    """Raise a `ValueError` for whatever a decoder raises about a broken file."""
    try:
        yield
    except (OSError, ValueError):
        raise
    except Exception as error:  # zipfile, zlib, lzma and numpy have their own
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _contents(stream: IO[bytes]) -> Iterator[tuple[str, IO[bytes], int]]:
    """Yield name, content and bytes of each array."""
    if stream.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
        size = stream.seek(0, 2)
        stream.seek(0)
        yield "", stream, size
        return
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            if member.filename.endswith(ENDING):
                with archive.open(member) as content:
                    yield member.filename.removesuffix(ENDING), content, member.file_size


def _declared(content: IO[bytes], size: int) -> Declared:
    """Read the header of an array of `size` bytes."""
    version = npy.read_magic(content)
    if version not in HEADERS:
        raise ValueError(f"arrays of the format {version} are not read")
    shape, _, dtype = HEADERS[version](content)
    found = Declared(shape, dtype)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, and loading these would run their code")
    if min(shape, default=0) < 0 or found.bytes > size - content.tell():
        raise ValueError(f"an array says to be {shape} of {dtype}, in a file of {size} bytes")
    return found
