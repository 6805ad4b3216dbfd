"""Reading word vectors in GloVe's text format."""

from __future__ import annotations

import gzip
import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import torch
from torch import Tensor

from input_iba.core.padding import PAD_INDEX
from input_iba.datasets.vocabulary import Vocabulary
from input_iba.errors import DataError

ENDINGS = (".txt", ".txt.gz", ".zip")
"""Of files with vectors, the fastest to read first."""

MAX_LINE = 2**20
"""Bytes of a line, in which there are a word and some hundred numbers."""


class WordVectors(NamedTuple):
    """Vectors (words, dimensions), float32, of a vocabulary; how many of them the file has."""

    values: Tensor
    known: int
    path: Path


def load_word_vectors(
    vocabulary: Vocabulary, cache: Path, dimensions: int = 100, seed: int = 0
) -> WordVectors:
    """Read the vectors of a vocabulary's words; other lines of the file are passed over.

    Words that the file lacks get normal random vectors, as torchtext draws them with
    `unk_init=torch.Tensor.normal_`, from a seed. The vector of `<pad>` is 0.

    `cache` is a folder with a file such as `glove.6B.100d.txt`, `….txt.gz` or `glove.6B.zip`.

    Raises:
        DataError: There is no such file, or it is damaged or of another format.
    """
    path = find_vectors(cache, dimensions)
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(len(vocabulary), dimensions, generator=generator)
    values[PAD_INDEX] = 0
    seen: set[int] = set()
    try:
        with _opened(path, dimensions) as stream:
            lines = _lines(stream, path)
            for index, numbers in _vectors(lines, vocabulary.index, dimensions, path):
                if index not in seen:  # of a repeated word the first vector counts
                    values[index] = torch.tensor(numbers)
                    seen.add(index)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(
            f"Word vectors '{path}' cannot be read ({type(error).__name__}: {error}). The file is "
            "damaged or no such archive: fetch it again."
        ) from error
    if not seen:
        raise DataError(
            f"Word vectors '{path}' hold no word of the vocabulary. Expected lines of a word and "
            f"{dimensions} numbers, separated by single spaces."
        )
    return WordVectors(values, len(seen), path)


def find_vectors(cache: Path, dimensions: int) -> Path:
    """Return the file of vectors in a folder.

    Raises:
        DataError: There is none; says what to put where.
    """
    files = sorted(cache.iterdir()) if cache.is_dir() else []
    named = re.compile(rf"(?<!\d){dimensions}d(?![a-z0-9])")
    for ending in ENDINGS:
        for path in files:
            if path.name.endswith(ending) and named.search(path.name):
                return path
    for path in files:
        if path.suffix == ".zip" and zipfile.is_zipfile(path) and _member(path, dimensions):
            return path
    found = ", ".join(path.name for path in files[:5]) or "nothing"
    raise DataError(
        f"No word vectors of {dimensions} dimensions in '{cache}'; found {found}. Put "
        f"glove.6B.{dimensions}d.txt there, or the same as .txt.gz, or glove.6B.zip "
        "(https://nlp.stanford.edu/projects/glove/), or name another folder as `vector_cache`."
    )


def _member(path: Path, dimensions: int) -> str | None:
    """Return which file of an archive holds the vectors."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".txt")]
    named = [name for name in names if f".{dimensions}d." in name]
    if not named and len(names) == 1 and f"{dimensions}d" in path.name:
        return names[0]
    return next(iter(named), None)


@contextmanager
def _opened(path: Path, dimensions: int) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if path.suffix == ".zip":
        name = _member(path, dimensions)
        if name is None:
            raise zipfile.BadZipFile(f"no file *.{dimensions}d.txt in it")
        with zipfile.ZipFile(path) as archive, archive.open(name) as lines:
            yield lines
    else:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            yield lines


def _lines(stream: IO[bytes] | gzip.GzipFile, path: Path) -> Iterator[bytes]:
    """Yield lines, none of which fills the memory."""
    while line := stream.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise DataError(
                f"Word vectors '{path}' have a line of more than {MAX_LINE:,} bytes. Expected a "
                "word and its numbers on each: fetch the file again."
            )
        yield line


def _vectors(
    lines: Iterable[bytes], index: Mapping[str, int], dimensions: int, path: Path
) -> Iterator[tuple[int, list[float]]]:
    """Yield index and vector of every line whose word is wanted."""
    for number, line in enumerate(lines, 1):
        word, _, rest = line.partition(b" ")
        position = index.get(word.decode("utf-8", "replace"))
        if position is None:
            continue
        parts = rest.split()
        if len(parts) > dimensions or (number == 1 and len(parts) == 1):
            continue  # a word with spaces in it, or the head of word2vec's format
        try:
            values = [float(part) for part in parts]
        except ValueError as error:
            raise DataError(f"Word vectors '{path}', line {number}: {error}.") from error
        if len(values) < dimensions:
            raise DataError(
                f"Word vectors '{path}', line {number}: expected {dimensions} numbers after "
                f"{word.decode('utf-8', 'replace')!r}, got {len(values)}. Give a file of vectors "
                f"of {dimensions} dimensions; a file that ends in the middle is fetched again."
            )
        if not all(map(math.isfinite, values)):
            raise DataError(
                f"Word vectors '{path}', line {number}: values are not finite. Fetch it again."
            )
        yield position, values
