"""Masks and statistics that are broken or hostile: never unpickled, never unfolded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from torch import Tensor, nn

from input_iba.attribution.fitted import (
    read_fitted,
    read_statistics,
    write_fitted,
    write_statistics,
)
from input_iba.core.arrays import MAX_BYTES
from input_iba.errors import InputIBAError
from input_iba.records import FeatureStatistics
from input_iba.results import read_text_mask, write_mask
from input_iba.results.map_files import read_map, ties_by_rounding
from tests.reliability.conftest import Evidence, sized
from tests.reliability.fuzz.arrays import Arrays, header, hostile, npy, npz, zeros
from tests.reliability.fuzz.bounded import read_or_refused, tried
from tests.reliability.fuzz.mutations import changed_bytes
from tests.reliability.fuzz.pictures import bomb, encoded, noise
from tests.reliability.fuzz.test_images import SECTION

MODEL = nn.Linear(2, 2)
WORDS = {
    "mask": np.array([0.5, 1.0], np.float32),
    "tokens": np.array(["a", "film"]),
    "text": np.array("A film."),
    "spans": np.array([[0, 1], [2, 6]]),
}
MAP = {"mask": np.eye(3, dtype=np.float32)}
MOMENTS: Arrays = {
    "mean": np.ones((2, 2), np.float32),
    "std": np.ones((2, 2), np.float32),
    "nonzero": np.ones((2, 2), np.float32),
    "count": np.array(7),
    "key": np.array("key"),
    "layer": np.array("layer1"),
}


def kept(path: Path) -> FeatureStatistics | None:
    return read_statistics(path, "key")


def fitted(path: Path) -> FeatureStatistics:
    return read_fitted(path, MODEL)[0]


def right_moments(found: Any) -> bool:
    if found is None:  # they are estimated again
        return True
    tensors = (found.mean, found.std, found.nonzero)
    return all(bool(one.isfinite().all()) and one.shape == found.mean.shape for one in tensors)


def finite_map(found: Tensor) -> bool:
    return found.ndim == 2 and bool(found.isfinite().all())


def one_value_a_word(found: Any) -> bool:
    assert len(found.shown.parts) == 2 * len(found.shown.words) + 1
    return len(found.tokens) == len(found.mask) and bool(np.isfinite(found.mask).all())


Reader = tuple[Callable[[Path], Any], Arrays, Callable[[Any], bool]]


def readers() -> dict[str, Reader]:
    return {
        "maps": (read_map, MAP, finite_map),
        "masks of texts": (read_text_mask, WORDS, one_value_a_word),
        "statistics in work directories": (kept, MOMENTS, right_moments),
        "statistics kept from Python": (fitted, MOMENTS, right_moments),
    }


def whole_files(name: str, folder: Path) -> list[bytes]:
    """Return files that are right."""
    path = folder / "right.npz"
    statistics = FeatureStatistics(torch.ones(2, 2), torch.ones(2, 2), torch.ones(2, 2), 7)
    if name == "statistics kept from Python":
        write_fitted(path, statistics, "layer1", MODEL)
    elif name == "statistics in work directories":
        write_statistics(path, statistics, "key")
    elif name == "masks of texts":
        write_mask(path, WORDS["mask"], ["a", "film"], "A film.", [(0, 1), (2, 6)])
        return [path.read_bytes(), npz(WORDS)]
    else:
        return [npz(MAP), npz({"map": MAP["mask"]}, compressed=True), npy(MAP["mask"])]
    return [path.read_bytes()]


@pytest.mark.parametrize("name", readers())
def test_broken_arrays_are_read_or_refused(name: str, tmp_path: Path, evidence: Evidence) -> None:
    (read, keys, holds), path = readers()[name], tmp_path / "broken.npz"
    counts = {True: 0, False: 0}

    def check(content: bytes) -> bool:
        path.write_bytes(content)
        found = read_or_refused(lambda: read(path), seconds=5, megabytes=64)
        refused = isinstance(found, InputIBAError)
        assert refused or holds(found)
        counts[not refused and found is not None] += 1
        return refused or found is None

    @tried(25, 250)
    @given(content=changed_bytes(whole_files(name, tmp_path)))
    def bytes_changed(content: bytes) -> None:
        check(content)

    bytes_changed()
    canary = tmp_path / "canary"
    for what, content in hostile(canary, keys).items():
        assert check(content), what
    assert not canary.exists()
    assert counts[False] > 10
    evidence(
        SECTION,
        f"{name} with changed bytes, wrong keys, pickles inside, huge shapes",
        sum(counts.values()),
        f"{counts[True]} read, {counts[False]} refused or made again; no pickle ran; within 64 MiB",
        "archives that are encrypted or packed in unusual ways, and arrays of other types and "
        "shapes than expected, ended in tracebacks",
    )


@pytest.mark.parametrize("name", readers())
def test_values_of_other_kinds_are_refused(name: str, tmp_path: Path) -> None:
    (read, keys, holds), path = readers()[name], tmp_path / "odd.npz"
    odd = (
        np.array(["x"]),
        np.array(1.0),
        np.zeros((0, 0), np.float32),
        np.full((2, 2), np.nan, np.float32),
        np.full(2, 1e300),
        np.ones((2, 2), ">f4"),
        np.ones((2, 2), np.longdouble),
        np.ones((2, 2), complex),
        np.array([[5, 1], [0, -1]]),
        np.array([[0, 10**12], [3, 4]]),
        np.ones(2, bool),
        np.array(["1999-01-01"], "datetime64[D]"),
        np.zeros(2, [("a", "f4")]),
    )
    for key in keys:
        for values in odd:
            path.write_bytes(npz({**keys, key: values}))
            found = read_or_refused(lambda: read(path), megabytes=64)
            assert isinstance(found, InputIBAError) or holds(found), (key, values)
        path.write_bytes(npz({other: keys[other] for other in keys if other != key}))
        found = read_or_refused(lambda: read(path))
        assert isinstance(found, InputIBAError) or holds(found), key


def test_a_map_that_unfolds_to_gigabytes_is_refused(tmp_path: Path, evidence: Evidence) -> None:
    mebibytes, path = sized(256, 3 * 1024), tmp_path / "bomb.npz"
    path.write_bytes(zeros(f"({mebibytes * 256}, 1024)", mebibytes * 2**18))
    assert path.stat().st_size < 2**25
    of_size = read_or_refused(lambda: read_map(path, size=(3, 3)), seconds=5, megabytes=64)
    assert "expected (3, 3)" in str(of_size)
    if mebibytes * 2**20 > MAX_BYTES:
        found = read_or_refused(lambda: read_map(path), seconds=5, megabytes=64)
        assert "bytes of arrays are read" in str(found)
    evidence(SECTION, "a map of 3 GiB of zeros in an npz of 14 MiB", 2, "refused within 64 MiB")


def test_maps_as_images_are_read_or_refused(tmp_path: Path, evidence: Evidence) -> None:
    path, counts = tmp_path / "map.png", {True: 0, False: 0}
    grey = noise().convert("L")
    deep = [encoded(grey, "PNG"), encoded(grey.convert("I;16"), "PNG"), encoded(noise(), "PNG")]

    @tried(25, 250)
    @given(content=changed_bytes(deep))
    def bytes_changed(content: bytes) -> None:
        path.write_bytes(content)
        found = read_or_refused(lambda: read_map(path), seconds=10, megabytes=4096)
        assert isinstance(found, InputIBAError) or finite_map(found)
        assert isinstance(ties_by_rounding(path), bool)
        counts[not isinstance(found, InputIBAError)] += 1

    bytes_changed()
    path.write_bytes(bomb("PNG"))
    found = read_or_refused(lambda: read_map(path), seconds=2, megabytes=64)
    assert "exceeds limit" in str(found)
    assert not ties_by_rounding(path)
    evidence(
        SECTION,
        "maps as PNG with changed bytes, and one of 50,000×50,000 pixels",
        sum(counts.values()) + 1,
        f"{counts[True]} read, the others refused by name",
        "a decompression bomb among maps ended in a traceback",
    )


def test_the_head_of_an_array_is_written_as_numpy_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(header("(1, 2)") + np.ones(2, np.float32).tobytes())
    assert read_map(path).tolist() == [[1, 1]]
