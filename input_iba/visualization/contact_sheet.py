"""Photograph, overlay, feature mask and input mask of several samples as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.image
from matplotlib.figure import Figure

from input_iba.errors import DataError
from input_iba.visualization.rows import Row, percent

COLUMNS = (
    ("photograph", "photograph"),
    ("overlay", "overlay, smoothed"),
    ("feature_mask_picture", "feature mask"),
    ("input_mask_picture", "input mask"),
)


def write_contact_sheet(
    path: Path, rows: Sequence[Row], folder: Path, *, inches: float = 2.0, dots_per_inch: int = 110
) -> None:
    """Draw one line per sample, with its class and probability, and save a PNG.

    Args:
        path: The PNG to write.
        rows: Samples in the order of the lines; failed ones are left out.
        folder: The folder that the rows' files are relative to.
        inches: Height and width of one picture.
        dots_per_inch: Resolution of the sheet.

    Raises:
        DataError: No sample is done, or a picture cannot be read.
    """
    done = [row for row in rows if not row.failure]
    if not done:
        raise DataError("No sample is done, so a contact sheet would be empty.")
    # Methods of one stage have no feature masks.
    columns = [(k, title) for k, title in COLUMNS if any(k in row.files for row in done)]
    figure = Figure(
        figsize=(inches * len(columns), (inches + 0.3) * len(done)), layout="constrained"
    )
    axes = figure.subplots(len(done), len(columns), squeeze=False)
    for line, row in zip(axes, done, strict=True):
        for axis, (kind, _) in zip(line, columns, strict=True):
            axis.imshow(_read(folder, row, kind))
            axis.set_axis_off()
        line[0].set_title(f"{row.class_name} {percent(row.probability)}", loc="left", fontsize=9)
    for axis, (_, title) in zip(axes[0][1:], columns[1:], strict=True):
        axis.set_title(title, fontsize=9)
    figure.savefig(path, dpi=dots_per_inch, format="png")


def _read(folder: Path, row: Row, kind: str) -> object:
    file = folder / row.files.get(kind, "")
    try:
        return matplotlib.image.imread(file)
    except (OSError, ValueError) as error:
        raise DataError(f"Picture '{file}' of sample {row.id!r} cannot be read: {error}") from error
