"""Write the files of a work directory, whole or not at all."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from input_iba.core.files import written_whole
from input_iba.drawing.words import Shown, split_at
from input_iba.errors import DataError

MASK_KEYS = ("mask", "map")
"""Under which an npz holds a mask, or the map in bits."""


def write_text(path: Path, text: str) -> None:
    """Write text in UTF-8, whole or not at all; what UTF-8 cannot hold becomes `?`."""
    with written_whole(path) as aside:
        aside.write_text(text, encoding="utf-8", errors="replace")


def append_text(path: Path, text: str) -> None:
    """Append text in UTF-8 and see it to the disk before returning."""
    with path.open("ab") as stream:
        stream.write(text.encode())
        stream.flush()  # all of it, or an error: unbuffered, a full disk would take a part of it
        os.fsync(stream.fileno())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a mapping as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write named arrays as a compressed npz, whole or not at all."""
    with written_whole(path) as aside, aside.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def write_mask(
    path: Path,
    mask: NDArray[np.floating[Any]],
    tokens: Sequence[str] | None = None,
    text: str = "",
    spans: Sequence[tuple[int, int]] | None = None,
    key: str = "mask",
) -> None:
    """Write a mask (H, W), or (T,) of a text's T tokens, as npz, under one of `MASK_KEYS`.

    Keys of the rest are the arguments' names. `text` is written where `spans` (T, 2) are known:
    first and last character (exclusive) of words.
    """
    beside = {} if tokens is None else {"tokens": np.array(tokens, dtype=np.str_)}
    if spans is not None:
        beside |= {"text": np.array(text, dtype=np.str_), "spans": np.array(spans)}
    write_arrays(path, **{key: np.asarray(mask, dtype=np.float32)}, **beside)


class TextMask(NamedTuple):
    """A mask (T,) of a text, its T words as the classifier was given them, and as they stand."""

    tokens: list[str]
    mask: NDArray[np.float32]
    shown: Shown


def read_text_mask(path: Path) -> TextMask:
    """Read the mask of a text, which earlier versions wrote without the text.

    Raises:
        DataError: The file cannot be read, or is not the mask of a text.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            key = next((key for key in MASK_KEYS if key in arrays.files), MASK_KEYS[0])
            tokens, mask, shown = arrays["tokens"].tolist(), arrays[key], None
            if "spans" in arrays.files:
                shown = split_at(str(arrays["text"]), arrays["spans"].tolist())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"'{path}' cannot be read as the mask of a text: {error}.") from error
    return TextMask(tokens, mask, shown or Shown(tokens))


def write_image(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write an image (H, W) or (H, W, 3) as its path's extension says: .png, .jpg or .JPEG."""
    lossy = path.suffix.lower() in {".jpg", ".jpeg"}
    options: dict[str, Any] = {"quality": 92, "subsampling": 0} if lossy else {}
    with written_whole(path) as aside:
        Image.fromarray(pixels).save(aside, format="JPEG" if lossy else "PNG", **options)
