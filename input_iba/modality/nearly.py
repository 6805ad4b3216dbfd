"""Inputs that are nearly right, and what makes right ones of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from input_iba.datasets.images import SUFFIXES


def what_to_do(item: Any) -> str:
    """Return a sentence for whoever gave an array, or the name of an image; empty for all else.

    >>> what_to_do("my.jpg")
    " Open images: PIL.Image.open('my.jpg'), with transform= beside it."
    >>> what_to_do(np.zeros((3, 8, 8)))
    ' Make a tensor of the array: torch.from_numpy(x).float(), normalised.'
    """
    if isinstance(item, np.ndarray):
        return " Make a tensor of the array: torch.from_numpy(x).float(), normalised."
    if isinstance(item, str | Path) and Path(item).suffix.lower() in SUFFIXES:
        return f" Open images: PIL.Image.open({str(item)!r}), with transform= beside it."
    return ""
