"""Write the files of a work directory, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from input_iba.core.arrays import read_arrays, write_arrays
from input_iba.core.files import Readable, written_whole
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


def read_text_mask(path: Readable) -> TextMask:
    """Read the mask of a text, which earlier versions wrote without the text.

    Raises:
        DataError: The file cannot be read, or is not the mask of a text.
    """
    try:
        return _text_mask(read_arrays(path, {*MASK_KEYS, "tokens", "text", "spans"}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"'{path}' cannot be read as the mask of a text: {error}.") from error


def _text_mask(arrays: Mapping[str, NDArray[Any]]) -> TextMask:
    key = next((key for key in MASK_KEYS if key in arrays), MASK_KEYS[0])
    words, mask = arrays["tokens"], arrays[key].astype(np.float32)
    if words.ndim != 1 or words.dtype.kind != "U" or mask.shape != words.shape:
        raise ValueError(
            f"expected one number a word, got {mask.shape} of {words.shape} words ({words.dtype})"
        )
    if not np.isfinite(mask).all():
        raise ValueError("expected finite numbers")
    tokens: list[str] = words.tolist()
    if "spans" not in arrays:
        return TextMask(tokens, mask, Shown(tokens))
    spans, text = arrays["spans"], str(arrays["text"])
    if spans.shape != (len(tokens), 2) or spans.dtype.kind not in "iu":
        raise ValueError(f"expected two places in the text a word, got {spans.shape}")
    if bool(((spans[:, 0] < 0) | (spans[:, 0] > spans[:, 1]) | (spans[:, 1] > len(text))).any()):
        raise ValueError("expected where each word stands in the text")
    return TextMask(tokens, mask, split_at(text, spans.tolist()))


def write_image(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write an image (H, W) or (H, W, 3) as its path's extension says: .png, .jpg or .JPEG."""
    lossy = path.suffix.lower() in {".jpg", ".jpeg"}
    options: dict[str, Any] = {"quality": 92, "subsampling": 0} if lossy else {}
    with written_whole(path) as aside:
        Image.fromarray(pixels).save(aside, format="JPEG" if lossy else "PNG", **options)
