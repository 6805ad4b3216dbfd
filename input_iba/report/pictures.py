"""Pictures that the report shows and a work directory of an earlier release does not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from input_iba.drawing import colourise, heat_of, scale_to_range, to_8_bits
from input_iba.errors import DataError
from input_iba.results import write_image
from input_iba.results.map_files import read_map
from input_iba.results.sample_writer import PICTURE_PLACES

Draw = Callable[[NDArray[np.float64]], NDArray[np.uint8]]

DRAWN: Mapping[str, tuple[str, Draw]] = {
    "heat": ("input_mask", lambda mask: to_8_bits(heat_of(mask))),
    "prior_mask_picture": ("prior_mask", lambda mask: colourise(scale_to_range(mask))),
}
"""From kind of picture to the mask that it shows, and how it is drawn."""


def with_pictures(root: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Return a sample's files with the pictures that were missing, which are drawn.

    Where a mask cannot be read or a picture cannot be written, the page does without it.

    Args:
        root: The work directory.
        files: From kind to a path inside it, of a picture.
    """
    found = dict(files)
    for kind, (mask, draw) in DRAWN.items():
        if kind in files or mask not in files:
            continue
        folder, extension = PICTURE_PLACES[kind]
        # Below the folder of its kind, a file has the same place as the mask.
        place = PurePosixPath(folder, *PurePosixPath(files[mask]).parts[1:]).with_suffix("")
        path = f"{place}{extension}"
        try:
            if not (root / path).is_file():
                write_image(root / path, draw(read_map(root / files[mask]).numpy()))
        except (DataError, OSError):
            continue
        found[kind] = path
    return found
