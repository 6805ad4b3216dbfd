"""Choosing some samples of a data set by a list of names, or of places."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Collection, Sequence
from pathlib import Path, PurePath

from input_iba.errors import DataError, closest

LOGGER = logging.getLogger(__name__)


def select_ids(dataset_ids: Sequence[str], subset_file: str | Path) -> list[str]:
    """Return the ids that a file names, in the data set's order.

    Args:
        dataset_ids: Ids of all samples.
        subset_file: Text with one name a line (empty lines and what follows a # are ignored), or
            a JSON list of names. A name is an id, or a file name of which the id is the stem. Or
            text with one place in the data set a line, from 0, as published files have it: numbers
            of which none is an id.

    Raises:
        DataError: The file cannot be read, names nothing, or names something that is not there.
    """
    names = _read_names(Path(subset_file))
    if not names:
        raise DataError(f"Subset file '{subset_file}' names no samples. List at least one id.")
    known = set(dataset_ids)
    # The name itself comes first: ids may contain dots.
    matches = {
        name: next((n for n in (name, PurePath(name).stem) if n in known), None) for name in names
    }
    chosen = {match for match in matches.values() if match is not None}
    numbers = all(name.isascii() and name.isdecimal() for name in names)
    if numbers and not chosen:
        return _at_places(dataset_ids, [int(name) for name in names], subset_file)
    unknown = [name for name, match in matches.items() if match is None]
    if unknown:
        more = f" (and {len(unknown) - 1} more unknown names)" if len(unknown) > 1 else ""
        raise DataError(
            f"Subset file '{subset_file}': no sample is called {unknown[0]!r}{more}."
            f"{_similar(unknown[0], dataset_ids)} Names are ids: file names without ending, with "
            "'<class>__' before them where two classes share a name."
        )
    LOGGER.info(
        "Subset file '%s': %d samples by their ids%s.",
        *(subset_file, len(chosen)),
        ", which are numbers, and not by their places in the data set" if numbers else "",
    )
    return [id_ for id_ in dataset_ids if id_ in chosen]


def _at_places(
    dataset_ids: Sequence[str], places: Sequence[int], subset_file: str | Path
) -> list[str]:
    """Return the ids at places of the data set, in its order.

    Raises:
        DataError: There is no such place.
    """
    last = len(dataset_ids) - 1
    beyond = [place for place in places if place > last]
    if beyond:
        raise DataError(
            f"Subset file '{subset_file}': no sample is called '{beyond[0]}', and the data set "
            f"has no place {beyond[0]}: its {last + 1} samples have the places 0 to {last}. List "
            "ids, or places of this data set."
        )
    LOGGER.info(
        "Subset file '%s': %d samples by their places in the data set, from 0.",
        *(subset_file, len(set(places))),
    )
    return [dataset_ids[place] for place in sorted(set(places))]


def draw_ids(
    ids: Sequence[str], count: int, seed: int = 0, among: Collection[str] | None = None
) -> list[str]:
    """Draw ids at random; return them in the given order.

    Args:
        ids: What the order of the draw is decided by.
        count: How many; a larger number keeps those of a smaller one.
        seed: Of the draw.
        among: Those that may be drawn, which changes no turn of the others; None for all.

    >>> draw_ids(["a", "b", "c"], 2)
    ['b', 'c']
    """
    order = random.Random(seed).sample(list(ids), len(ids))
    chosen = set([id_ for id_ in order if among is None or id_ in among][:count])
    return [id_ for id_ in ids if id_ in chosen]


def _similar(name: str, ids: Sequence[str]) -> str:
    stem = PurePath(name).stem
    ambiguous = [id_ for id_ in ids if id_.endswith(f"__{stem}")]
    if ambiguous:
        return f" Closest: {', '.join(map(repr, ambiguous[:3]))}."
    return closest(stem, ids)


def _read_names(path: Path) -> list[str]:
    try:
        # Names of files may be bytes that are not UTF-8, and are then listed as such.
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise DataError(f"Subset file '{path}' cannot be read: {error}.") from error
    if path.suffix.lower() == ".json" or text.lstrip().startswith("["):
        try:
            names = json.loads(text)
        except ValueError as error:
            raise DataError(f"Subset file '{path}' is no valid JSON: {error}.") from error
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise DataError(f"Subset file '{path}': expected a JSON list of names.")
        return names
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]
