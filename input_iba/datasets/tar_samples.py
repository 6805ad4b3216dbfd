"""Samples in tar shards as WebDataset writes them, each read without the rest of its shard."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from input_iba.core.files import Held, parse_json
from input_iba.core.remote import is_url, lent, read_range
from input_iba.errors import ConfigError, DataError


@dataclass(frozen=True)
class TarSample:
    """The files of one key.

    Attributes:
        parts: By extension, in lower case: first byte of a file and its length.
    """

    shard: str
    key: str
    parts: Mapping[str, tuple[int, int]]

    def __str__(self) -> str:
        return f"{self.key} in {self.shard}"

    def first(self, extensions: Sequence[str]) -> str | None:
        """Return the first of some extensions that the sample has."""
        return next((ext for ext in extensions if ext in self.parts), None)

    def held(self, extension: str) -> Held:
        """Read a file.

        Raises:
            DataError: It is not there any more.
        """
        return Held(f"{self}.{extension}", read_range(self.shard, *self.parts[extension]))

    def value(self, field: str) -> str:
        """Return what a field says: the text of a file, `txt`, or of a key in JSON, `json.label`.

        Raises:
            DataError: The sample has no such field, or it cannot be read.
        """
        extension, _, key = field.partition(".")
        if extension not in self.parts:
            raise DataError(f"Sample '{self}' has no '.{extension}', but {', '.join(self.parts)}.")
        try:
            text = self.held(extension).content.decode("utf-8")
            if not key:
                return text
            found = parse_json(text)
            for name in key.split("."):
                found = found[name]
        except (ValueError, LookupError, TypeError) as error:
            what = f"'{key}' in its .{extension}" if key else f"its .{extension}"
            raise DataError(
                f"Sample '{self}': {what} cannot be read: {type(error).__name__}: {error}."
            ) from error
        if isinstance(found, dict | list) or found is None:
            raise DataError(
                f"Sample '{self}': '{key}' in its .{extension} is neither text nor number."
            )
        return str(found)


def tar_samples(shards: str | Path | Sequence[str | Path]) -> list[TarSample]:
    """Find the samples of shards: paths or URLs, or a path with `*` for several, in their order.

    A shard that is cut off has those samples that begin before.

    Raises:
        ConfigError: No shard is named.
        DataError: A shard is not there, is no tar, is compressed, or none has a sample.
    """
    given = [shards] if isinstance(shards, str | Path) else list(shards)
    places = [place for at in given for place in _places(str(at))]
    if not places:
        raise ConfigError("`shards` names no shard. Give paths of tars, e.g. 'data/train-*.tar'.")
    found = [sample for place in places for sample in _in_shard(place)]
    if not found:
        raise DataError(f"The shards {', '.join(places[:4])} hold no sample.")
    return found


def _places(at: str) -> list[str]:
    if is_url(at) or "*" not in at:
        return [at]
    pattern = Path(at)
    found = sorted(map(str, pattern.parent.glob(pattern.name)))
    if not found:
        raise DataError(
            f"No shard is called '{at}'; paths count from where the command is started."
        )
    return found


def _in_shard(place: str) -> list[TarSample]:
    samples = list[tuple[str, dict[str, tuple[int, int]]]]()
    try:
        with lent(place) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for info in _members(tar):
                folder, name = PurePosixPath(info.name).parent, PurePosixPath(info.name).name
                stem, _, extension = name.partition(".")
                if not info.isreg() or not stem or not extension:
                    continue
                key = stem if str(folder) == "." else f"{folder}/{stem}"
                if not samples or samples[-1][0] != key:
                    samples.append((key, {}))
                samples[-1][1][extension.lower()] = (info.offset_data, info.size)
    except (OSError, tarfile.TarError) as error:
        raise DataError(
            f"Shard '{place}' cannot be read: {error}. Expected a tar that is not compressed, as "
            "WebDataset writes it."
        ) from error
    return [TarSample(place, key, parts) for key, parts in samples]


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the entries of a tar, up to where it is cut off."""
    some = False
    while True:
        try:
            # Of an empty one Python 3.10 would look before its beginning.
            info = tar.next() if tar.offset else None
        except tarfile.TarError:
            if not some:
                raise
            return
        if info is None:
            return
        some = True
        tar.members = []  # type: ignore[attr-defined]  # they would all be held
        yield info
