"""Files of arrays that say what they are not: pickles, huge shapes, wrong keys, broken archives."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


class Canary:
    """Writes a file as soon as it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "sings"))


def npz(arrays: Arrays, compressed: bool = False) -> bytes:
    """Return arrays as an npz, objects too."""
    held = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(held, **arrays)  # type: ignore[arg-type]
    return held.getvalue()


def npy(array: NDArray[Any]) -> bytes:
    """Return an array as an npy, objects too."""
    held = io.BytesIO()
    np.save(held, array)
    return held.getvalue()


def header(shape: str, dtype: str = "<f4", version: bytes = b"\1\0") -> bytes:
    """Return the head of an npy with values of any shape and type, written as they are given."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    size = len(text).to_bytes(2 if version == b"\1\0" else 4, "little")
    return b"\x93NUMPY" + version + size + text


def archive(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of files."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as stream:
        for name, content in members.items():
            stream.writestr(name, content)
    return held.getvalue()


def zeros(shape: str, count: int) -> bytes:
    """Return an npz of a mask that truly has very many values, all 0."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as stream,
        stream.open("mask.npy", "w", force_zip64=True) as member,
    ):
        member.write(header(shape))
        for _ in range(0, count, 2**22):
            member.write(b"\0" * 2**24)
    return held.getvalue()


def hostile(canary: Path, keys: Arrays) -> dict[str, bytes]:
    """Return files of arrays that are to be refused, by what they are, with all keys but the first.

    Among them are some that would write the file of the canary, were they unpickled.
    """
    name, *rest = keys
    others = {f"{key}.npy": npy(keys[key]) for key in rest}
    song = np.array([Canary(canary)], dtype=object)

    def instead(content: bytes) -> bytes:
        return archive({f"{name}.npy": content, **others})

    sizes = (
        "(1000000, 1000000)",
        "(-1,)",
        "(4, -4)",
        f"({10**30},)",
        "(1.5,)",
        "('a',)",
        "(" * 500,
    )
    return {
        "an array of objects": npz({**keys, name: song}),
        "an array of objects alone": npy(song),
        "a pickle": pickle.dumps(Canary(canary)),
        "a pickle in place of an array": instead(pickle.dumps(Canary(canary))),
        "a pickle under another name": archive({"mask.pkl": pickle.dumps(Canary(canary))}),
        **{f"the shape {size[:20]}": instead(header(size) + bytes(64)) for size in sizes},
        **{f"alone, the shape {size[:20]}": header(size) + bytes(64) for size in sizes},
        "words of very many letters": instead(header("(1,)", "<U400000000") + bytes(64)),
        "a header that does not end": instead(b"\x93NUMPY\2\0\xff\xff\xff\xff" + b"{" * 1000),
        "another format": instead(header("(2, 2)", version=b"\3\0") + bytes(16)),
        "a format of later days": instead(header("(2, 2)", version=b"\7\0") + bytes(16)),
        "structures": instead(header("(1,)").replace(b"'<f4'", b"[('a', '<f4')]") + bytes(64)),
        "no arrays": archive({}),
        "wrong keys": npz({"one": np.zeros((2, 2)), "two": np.zeros((2, 2))}),
        "too few bytes": npz(keys)[:-60],
        "nothing": b"",
    }
