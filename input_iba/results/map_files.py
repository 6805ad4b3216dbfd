"""Maps of any tool: find the file of each sample, and read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from input_iba.core.maps import as_map
from input_iba.errors import DataError, EvaluationError
from input_iba.records import Sample, TextSample
from input_iba.results import file_names
from input_iba.results.writing import MASK_KEYS

FORMATS = (".npz", ".npy", ".png")
"""Extensions of maps, the most exact first."""

FINE_MODES = frozenset({"I", "I;16", "I;16B", "I;16L"})
"""Pillow's names of PNG files with 16 bits per pixel; all others have 8 or fewer."""


def find_maps(folder: Path, ids: Iterable[str]) -> dict[str, Path]:
    """Find the maps of a whole data set's samples, by id, in a folder or below it.

    A map is named as a run of this toolkit names it, or by the id itself. Of several formats the
    most exact is taken; of a work directory, its `own_maps`.

    Raises:
        DataError: The folder does not exist, or two files of one format may be a sample's map.
    """
    if not folder.is_dir():
        raise DataError(f"Folder of maps '{folder}' does not exist. Check HEATMAP_DIR.")
    root = own_maps(folder) if (folder / "manifest.json").is_file() else folder
    files: dict[tuple[str, str], list[Path]] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() in FORMATS and not path.name.startswith("."):
            files.setdefault((path.stem, path.suffix.lower()), []).append(path)
    found = {}
    for id_, name in file_names(ids).items():
        keys = ((stem, suffix) for suffix in FORMATS for stem in (name, id_))
        candidates = next((files[key] for key in keys if key in files), [])
        if len(candidates) > 1:
            raise DataError(
                f"Sample {id_!r} has several maps: {', '.join(map(str, candidates[:4]))}. Give "
                "the folder that holds one map per sample."
            )
        if candidates:
            found[id_] = candidates[0]
    return found


def own_maps(root: Path) -> Path:
    """Return the folder of a work directory that holds its answer.

    That is `maps`; of other methods, and where an earlier release began the run, so that maps of
    some samples are missing, `input_masks`.
    """
    maps, masks = root / "maps", root / "input_masks"
    mapped, masked = ({p.relative_to(at) for p in at.rglob("*.npz")} for at in (maps, masks))
    return maps if mapped and masked <= mapped else masks


def read_map_of(sample: Sample, path: Path) -> Tensor:
    """Read the map of a sample, shaped as its `map_size` says, float64, on the CPU.

    Raises:
        DataError: The file cannot be read, or holds no map.
        EvaluationError: The map is of another size, or of other words.
    """
    size = sample.map_size
    heat = read_map(path, len(size))
    if tuple(heat.shape) != size:
        raise EvaluationError(
            f"Map '{path}' has shape {tuple(heat.shape)}, expected {size}. Resize the map, or use "
            "the config that it was made with."
        )
    if isinstance(sample, TextSample):
        _check_words(path, sample.tokens)
    return heat


def read_map(path: Path, dimensions: int = 2) -> Tensor:
    """Read one map: npz (one of `MASK_KEYS`, or its only array), npy, or grey PNG of 8 or 16 bits.

    Returns:
        (H, W), or (W,) of 1 dimension, float64, on the CPU; of a PNG in [0, 1].

    Raises:
        DataError: The file cannot be read, or holds no map.
    """
    try:
        values = _read_png(path) if path.suffix.lower() == ".png" else _read_array(path)
    # A decoder may raise anything about a broken file: zipfile, zlib and Pillow have their own.
    except Exception as error:
        raise DataError(
            f"Map '{path}' cannot be read: {type(error).__name__}: {error}. Make it again."
        ) from error
    if values.ndim != dimensions or values.dtype.kind not in "biuf":
        expected = "(H, W), one number per pixel" if dimensions == 2 else "(W,), one per word"
        raise DataError(
            f"Map '{path}' must be {expected}; got {values.dtype} of shape {values.shape}. Take "
            "the mean or the sum over channels first."
        )
    found = as_map(np.atleast_2d(values)).reshape(values.shape)
    if not bool(torch.isfinite(found).all()):
        raise DataError(f"Map '{path}' holds NaN or infinite values. Make it again.")
    return found


def _check_words(path: Path, tokens: Sequence[str]) -> None:
    """Refuse a map beside which other words stand than a text's."""
    if path.suffix.lower() != ".npz":
        return
    with np.load(path, allow_pickle=False) as content:
        words = content["tokens"].tolist() if "tokens" in content.files else []
    for i, (there, here) in enumerate(zip(words, tokens, strict=False)):
        if there != here:
            raise EvaluationError(
                f"Map '{path}' is of other words than the text: word {i} is {there!r} there and "
                f"{here!r} here. Use the config that it was made with."
            )


def ties_by_rounding(path: Path) -> bool:
    """Return whether a file's format leaves so few values that pixels tie in every ranking."""
    if path.suffix.lower() != ".png":
        return False
    try:
        with Image.open(path) as image:
            return image.mode not in FINE_MODES
    except (OSError, UnidentifiedImageError):
        return False  # reading it says what is wrong


def _read_array(path: Path) -> NDArray[np.generic]:
    with path.open("rb") as stream:
        content = np.load(stream, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return content
        names = content.files
        key = next((key for key in MASK_KEYS if key in names), names[0] if len(names) == 1 else "")
        if not key:
            raise ValueError(f"expected an array 'mask' or 'map', or one alone, found {names}")
        values: NDArray[np.generic] = content[key]
        return values


def _read_png(path: Path) -> NDArray[np.generic]:
    """Return values in [0, 1]: (H, W), or (H, W, 3) for an image in colours."""
    with Image.open(path) as image:
        if image.mode in FINE_MODES:
            return np.asarray(image, dtype=np.float64) / 65535
        # Also palettes and single bits; transparency is dropped.
        values = np.asarray(image.convert("RGB"), dtype=np.float64) / 255
    grey = bool((values == values[..., :1]).all())
    return values[..., 0] if grey else values
