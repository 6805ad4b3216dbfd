"""A figure of samples and methods, from the masks in work directories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from input_iba.commands.compare.methods import Method, read_methods
from input_iba.commands.figure.options import KINDS, GridOptions
from input_iba.datasets.images import read_image
from input_iba.drawing import (
    COLOUR_MAP,
    GridRow,
    Pixels,
    check_colour_map,
    figure_format,
    heat_of,
    overlay,
    percent,
    rendered,
    write_grid,
)
from input_iba.errors import ConfigError, DataError, closest
from input_iba.results import SampleRecord, written_whole
from input_iba.results.map_files import own_maps, read_map
from input_iba.results.sample_writer import FOLDERS

OF_ONE = ("overlay", "feature_mask", "input_mask")
"""What is shown of one work directory; of each of several it is the map."""

KIND_IN = {folder: kind for kind, folder in FOLDERS.items()}
"""What a folder in a work directory stands for."""


_Column = tuple[str, Method, str]
"""Title, method, and the kind of image that is shown of it."""


def figure_grid(options: GridOptions) -> int:
    """Draw images with what some methods found in them; return the number of samples.

    Raises:
        ConfigError: Colour map, kind, sample or ending is unknown.
        EvaluationError: A folder is not a work directory.
        DataError: There is nothing to draw, or a file cannot be read.
    """
    format_ = figure_format(options.out)
    if options.colour_map is not None:
        check_colour_map(options.colour_map)
    methods = read_methods(options.work_dirs, options.names)
    columns = _columns(methods, options.show)
    ids = _ids(methods, options)
    head = ["photograph", *(title for title, _, _ in columns)]
    rows = [_row(id_, methods[0], columns, options.colour_map) for id_ in ids]
    with written_whole(options.out) as aside:
        write_grid(aside, head, rows, format_, options.inches, options.dots_per_inch)
    return len(rows)


def _columns(methods: Sequence[Method], show: Sequence[str]) -> list[_Column]:
    columns = []
    for method in methods:
        whole = method.folder == method.root
        folder = own_maps(method.root).name if whole else method.folder.name
        if folder not in KIND_IN:
            raise ConfigError(f"'{method.folder}' is none of the folders {', '.join(KIND_IN)}.")
        chosen: Sequence[str] = [KIND_IN[folder]]
        if whole:
            chosen = show or (OF_ONE if len(methods) == 1 else chosen)
        for kind in chosen:
            # Methods of one stage have no feature masks.
            if any(_file(kind, record) for record in method.records.values()):
                several = len(methods) > 1
                alone = several and len(chosen) == 1
                title = method.name if alone else f"{method.name}: {KINDS[kind]}"
                columns.append((title if several else KINDS[kind], method, kind))
    return columns


def _file(kind: str, record: SampleRecord) -> str:
    """Return the file that a kind of image is drawn from; empty where there is none."""
    return record.map_file if kind == "overlay" else record.files.get(kind, "")


def _ids(methods: Sequence[Method], options: GridOptions) -> list[str]:
    """Return the samples that every method explained and that are asked for."""
    shared = [id_ for id_ in methods[0].records if all(id_ in m.records for m in methods)]
    for id_ in options.samples:
        if id_ not in shared:
            raise ConfigError(
                f"Sample {id_!r} was not explained in every work directory.{closest(id_, shared)}"
            )
    images = [id_ for id_ in shared if "photograph" in methods[0].records[id_].files]
    chosen = list(options.samples) or images[: options.num_samples]
    if not chosen:
        raise DataError(
            "There is no image that every work directory has explained, so the grid would be empty."
        )
    return chosen


def _row(id_: str, first: Method, columns: Sequence[_Column], colour_map: str | None) -> GridRow:
    record = first.records[id_]
    if "photograph" not in record.files:
        raise DataError(f"Sample {id_!r} in '{first.root}' is not an image: grids are of images.")
    image: Pixels = np.asarray(read_image(first.stored.at(record.files["photograph"])))
    cells, notes = list[Pixels | None]([image]), [""]
    for _, method, kind in columns:
        other = method.records[id_]
        notes.append("" if other.target == record.target else _plain(other.class_name))
        file = _file(kind, other)
        mask = read_map(method.stored.at(file)).numpy() if file else None
        if mask is None:
            cells.append(None)
        elif kind == "overlay":
            cells.append(overlay(image, heat_of(mask), colour_map or COLOUR_MAP))
        else:
            cells.append(rendered(mask, colour_map))
    title = f"{_plain(record.class_name)} {percent(record.target_probability)}"
    return GridRow(title, cells, notes)


def _plain(class_name: str) -> str:
    return class_name.replace("_", " ")
