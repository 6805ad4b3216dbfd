"""Maps of any tool: find the file of each sample, and read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from input_iba.core.arrays import Declared, declared_arrays, read_array
from input_iba.core.files import Readable
from input_iba.core.maps import as_map
from input_iba.errors import DataError, EvaluationError, InputIBAError
from input_iba.records import Sample, TextSample
from input_iba.results.names import file_names
from input_iba.results.stored import StoredFiles
from input_iba.results.writing import MASK_KEYS

FORMATS = (".npz", ".npy", ".png")
"""Extensions of maps, the most exact first."""

FINE_MODES = frozenset({"I", "I;16", "I;16B", "I;16L"})
"""Pillow's names of PNG files with 16 bits per pixel; all others have 8 or fewer."""


def find_maps(folder: Path, ids: Iterable[str]) -> dict[str, Readable]:
    """Find the maps of a whole data set's samples, by id, in a folder or below it.

    A map is named as a run of this toolkit names it, or by the id itself. Of several formats the
    most exact is taken; of a work directory, its `own_maps`, and those of its shards likewise.

    Raises:
        DataError: The folder does not exist, or two files of one format may be a sample's map.
    """
    root = own_maps(folder) if (folder / "manifest.json").is_file() else folder
    packed = StoredFiles(root.parent)
    inside = packed.below(root.name)
    if not inside and not root.is_dir():
        raise DataError(f"Folder of maps '{folder}' does not exist. Check HEATMAP_DIR.")
    files: dict[tuple[str, str], list[Path]] = {}
    loose = (path for path in root.rglob("*") if not path.name.startswith("."))
    for path in (*sorted(loose), *(root.parent / file for file in inside)):
        if path.suffix.lower() in FORMATS:
            files.setdefault((path.stem, path.suffix.lower()), []).append(path)
    found: dict[str, Readable] = {}
    for id_, name in file_names(ids).items():
        keys = ((stem, suffix) for suffix in FORMATS for stem in (name, id_))
        candidates = next((files[key] for key in keys if key in files), [])
        if len(set(candidates)) > 1:
            raise DataError(
                f"Sample {id_!r} has several maps: {', '.join(map(str, candidates[:4]))}. Give "
                "the folder that holds one map per sample."
            )
        if candidates:
            found[id_] = packed.at(candidates[0].relative_to(root.parent).as_posix())
    return found


def own_maps(root: Path) -> Path:
    """Return the folder of a work directory that holds its answer.

    That is `maps`; of other methods, and where an earlier release began the run, so that maps of
    some samples are missing, `input_masks`.
    """
    packed = StoredFiles(root)

    def places(folder: str) -> set[str]:
        loose = (path.relative_to(root).as_posix() for path in (root / folder).rglob("*.npz"))
        inside = (file for file in packed.below(folder) if file.endswith(".npz"))
        return {file.partition("/")[2] for file in (*loose, *inside)}

    mapped, masked = places("maps"), places("input_masks")
    return root / ("maps" if mapped and masked <= mapped else "input_masks")


def read_map_of(sample: Sample, path: Readable) -> Tensor:
    """Read the map of a sample, shaped as its `map_size` says, float64, on the CPU.

    Raises:
        DataError: The file cannot be read, or holds no map.
        EvaluationError: The map is of another size, or of other words.
    """
    size = sample.map_size
    heat = read_map(path, len(size), size)
    if isinstance(sample, TextSample):
        _check_words(path, sample.tokens)
    return heat


def read_map(path: Readable, dimensions: int = 2, size: tuple[int, ...] | None = None) -> Tensor:
    """Read one map: npz (one of `MASK_KEYS`, or its only array), npy, or grey PNG of 8 or 16 bits.

    A map of another shape than `size`, if given, is refused before its values are read.

    Returns:
        (H, W), or (W,) of 1 dimension, float64, on the CPU; of a PNG in [0, 1].

    Raises:
        DataError: The file cannot be read, or holds no map.
        EvaluationError: The map is of another size.
    """
    try:
        if path.suffix.lower() == ".png":
            values = _read_png(path)
            _check_shape(path, Declared(values.shape, values.dtype), dimensions, size)
        else:
            name, declared = _map_in(declared_arrays(path))
            _check_shape(path, declared, dimensions, size)
            values = read_array(path, name)
    except InputIBAError:
        raise
    except Exception as error:  # Pillow's readers raise whatever they meet in a damaged file
        raise DataError(
            f"Map '{path}' cannot be read: {type(error).__name__}: {error}. Make it again."
        ) from error
    found = as_map(np.atleast_2d(values)).reshape(values.shape)
    if not bool(torch.isfinite(found).all()):
        raise DataError(f"Map '{path}' holds NaN or infinite values. Make it again.")
    return found


def _check_shape(
    path: Readable, declared: Declared, dimensions: int, size: tuple[int, ...] | None
) -> None:
    """Refuse what is not a map, or one of another size."""
    shape, dtype = declared
    if len(shape) != dimensions or dtype.kind not in "biuf" or not declared.bytes:
        expected = "(H, W), one number per pixel" if dimensions == 2 else "(W,), one per word"
        raise DataError(
            f"Map '{path}' must be {expected}; got {dtype} of shape {shape}. Take the mean or the "
            "sum over channels first."
        )
    if size is not None and shape != size:
        raise EvaluationError(
            f"Map '{path}' has shape {shape}, expected {size}. Resize the map, or use the config "
            "that it was made with."
        )


def _check_words(path: Readable, tokens: Sequence[str]) -> None:
    """Refuse a map beside which other words stand than a text's."""
    if path.suffix.lower() != ".npz" or "tokens" not in declared_arrays(path):
        return
    words = np.atleast_1d(read_array(path, "tokens")).tolist()
    for i, (there, here) in enumerate(zip(words, tokens, strict=False)):
        if there != here:
            raise EvaluationError(
                f"Map '{path}' is of other words than the text: word {i} is {there!r} there and "
                f"{here!r} here. Use the config that it was made with."
            )


def ties_by_rounding(path: Readable) -> bool:
    """Return whether a file's format leaves so few values that pixels tie in every ranking."""
    if path.suffix.lower() != ".png":
        return False
    try:
        with path.open("rb") as stream, Image.open(stream) as image:
            return image.mode not in FINE_MODES
    except Exception:  # whatever Pillow meets: reading it says what is wrong
        return False


def _map_in(arrays: Mapping[str, Declared]) -> tuple[str, Declared]:
    """Return which of a file's arrays is the map, by its name, and what it is."""
    names = [*(key for key in MASK_KEYS if key in arrays), *(arrays if len(arrays) == 1 else ())]
    if not names:
        raise ValueError(f"expected an array 'mask' or 'map', or one alone, found {list(arrays)}")
    return names[0], arrays[names[0]]


def _read_png(path: Readable) -> NDArray[np.generic]:
    """Return values in [0, 1]: (H, W), or (H, W, 3) for an image in colours."""
    with path.open("rb") as stream, Image.open(stream) as image:
        if image.mode in FINE_MODES:
            return np.asarray(image, dtype=np.float64) / 65535
        # Also palettes and single bits; transparency is dropped.
        values = np.asarray(image.convert("RGB"), dtype=np.float64) / 255
    grey = bool((values == values[..., :1]).all())
    return values[..., 0] if grey else values
