"""Files at an address: a path, or a URL of a store that fsspec knows (s3://, gs://, memory://)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from input_iba.core.files import PART_SUFFIX, written_whole
from input_iba.errors import DataError, InputIBAError, StoreError, import_extra

APPEARING = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "az", "adl", "oss", "memory"})
"""Protocols of stores in which an object is there once all of it is, and not before."""


def is_url(at: str) -> bool:
    """Return whether an address is a URL.

    >>> is_url("s3://bucket/masks"), is_url("/data/masks"), is_url("C:/masks")
    (True, False, False)
    """
    return "://" in at


def join(at: str, name: str) -> str:
    """Return the address of a file in a folder at an address."""
    return f"{at.rstrip('/')}/{name}" if is_url(at) else str(Path(at).absolute() / name)


def check(at: str) -> None:
    """Refuse an address that cannot be one, or for which a package is missing."""
    if is_url(at):
        with _reached(at):
            pass


def put_whole(source: Path, at: str) -> None:
    """Copy a file to an address, where it appears whole or not at all.

    Raises:
        StoreError: It cannot be put there.
        MissingExtraError: It is a URL, and fsspec is not installed.
    """
    if not is_url(at):
        with written_whole(Path(at)) as aside:
            shutil.copyfile(source, aside)
        return
    with _reached(at) as (store, path):
        protocols = {store.protocol} if isinstance(store.protocol, str) else {*store.protocol}
        if protocols & APPEARING:
            store.put_file(str(source), path)
        else:
            store.makedirs(store._parent(path), exist_ok=True)
            store.put_file(str(source), path + PART_SUFFIX)
            store.mv(path + PART_SUFFIX, path)


@contextmanager
def lent(at: str) -> Iterator[IO[bytes]]:
    """Open a file at an address, to be read in parts.

    Raises:
        OSError: The path cannot be opened.
        StoreError: It is a URL, and cannot be reached.
    """
    if not is_url(at):
        with Path(at).open("rb") as stream:
            yield stream
        return
    with _reached(at) as (store, path):
        found = store.open(path, "rb")
    with found:
        yield found


def read_range(at: str, start: int, length: int) -> bytes:
    """Read some bytes at an address, and no others.

    Raises:
        DataError: They cannot be read, or the file ends before.
        StoreError: It is a URL, and cannot be reached.
        MissingExtraError: It is a URL, and fsspec is not installed.
    """
    if is_url(at):
        with _reached(at) as (store, path):
            found: bytes = store.cat_file(path, start=start, end=start + length)
    else:
        try:
            with Path(at).open("rb") as stream:
                stream.seek(start)
                found = stream.read(length)
        except OSError as error:
            raise DataError(f"'{at}' cannot be read: {error}.") from error
    if len(found) != length:
        raise DataError(f"'{at}' ends before byte {start + length}: it was cut off.")
    return found


@contextmanager
def _reached(at: str) -> Iterator[tuple[Any, str]]:
    """Lend what a URL is reached by, and the path in it; name the URL in what goes wrong."""
    if "::" in at:
        raise DataError(f"'{at}' is a chain of URLs; give one, such as s3://bucket/folder.")
    import_extra("fsspec", "fsspec", "store")
    from fsspec.core import url_to_fs

    try:
        yield url_to_fs(at)
    except InputIBAError:
        raise
    except Exception as error:  # every store has errors of its own
        raise StoreError(
            f"'{at}' cannot be reached: {type(error).__name__}: {error}. Check the address, and "
            "the keys and endpoint that your store's package of fsspec reads (of s3:// s3fs, which "
            "pip install 'input-iba[store]' brings)."
        ) from error
