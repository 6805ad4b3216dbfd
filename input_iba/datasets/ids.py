"""The ids of samples: short and unique names, chosen by a file, or drawn at random."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path, PurePath

from input_iba.core.files import parse_json
from input_iba.errors import DataError, closest

LOGGER = logging.getLogger(__name__)


def unique_ids(files: Sequence[tuple[str | None, str]]) -> list[str]:
    """Name samples of some class folders, if any, and file names by stem, and more where needed.

    All samples of one stem become `<class>__<stem>`; where those clash too, the ending is added,
    and at last the position. Names that differ in upper and lower case only count as equal, since
    some file systems cannot hold both.

    >>> unique_ids([("cat", "1.png"), ("dog", "1.png"), ("dog", "2.jpg"), ("dog", "2.png")])
    ['cat__1', 'dog__1', 'dog__2_jpg', 'dog__2_png']
    """
    levels = [0] * len(files)
    while True:
        ids = [
            _name(group, name, level, i)
            for i, ((group, name), level) in enumerate(zip(files, levels, strict=True))
        ]
        uses = Counter(name.casefold() for name in ids)
        clashing = [i for i, name in enumerate(ids) if uses[name.casefold()] > 1 and levels[i] < 3]
        if not clashing:
            return ids
        for i in clashing:
            levels[i] += 1


def _name(group: str | None, file_name: str, level: int, position: int) -> str:
    path = PurePath(file_name)
    whole = path.stem if group is None else f"{group}__{path.stem}"
    with_ending = f"{whole}_{path.suffix.lstrip('.')}"
    return (path.stem, whole, with_ending, f"{with_ending}_{position}")[level]


def numbered(names: Sequence[str]) -> list[str]:
    """Return names, those that several samples share with the sample's number behind.

    >>> numbered(["a", "B", "b", "c"])
    ['a', 'B_2', 'b_3', 'c']
    """
    found = list(names)
    while True:
        uses = Counter(name.casefold() for name in found)
        if len(uses) == len(found):
            return found
        found = [
            f"{name}_{i}" if uses[name.casefold()] > 1 else name for i, name in enumerate(found, 1)
        ]


def draw_ids(
    ids: Sequence[str], count: int, seed: int = 0, among: Collection[str] | None = None
) -> list[str]:
    """Draw ids at random; return them in the given order.

    A larger `count` keeps those of a smaller one. Those that may not be drawn, because they are not
    `among` some, change no turn of the others.

    >>> draw_ids(["a", "b", "c"], 2)
    ['b', 'c']
    """
    order = random.Random(seed).sample(list(ids), len(ids))
    chosen = set([id_ for id_ in order if among is None or id_ in among][:count])
    return [id_ for id_ in ids if id_ in chosen]


def drawn_order(count: int, seed: int = 0) -> list[int]:
    """Return the places of so many samples in the order in which a seed draws them.

    >>> sorted(drawn_order(3))
    [0, 1, 2]
    """
    return random.Random(seed).sample(range(count), count)


def select_ids(dataset_ids: Sequence[str], subset_file: str | Path) -> list[str]:
    """Return the ids that a file names, in the data set's order.

    It is text with one name a line (empty lines and what follows a # are ignored), or a JSON list
    of names. A name is an id, or a file name of which the id is the stem. Or text with one place in
    the data set a line, from 0, as published files have it: numbers of which none is an id.

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
    numbers = all(name.isascii() and name.isdecimal() and len(name) < 20 for name in names)
    if numbers and not chosen:
        return _at_places(dataset_ids, {int(name) for name in names}, subset_file)
    unknown = [name for name, match in matches.items() if match is None]
    if unknown:
        more = f" (and {len(unknown) - 1} more unknown names)" if len(unknown) > 1 else ""
        raise DataError(
            f"Subset file '{subset_file}': no sample is called {unknown[0]!r}{more}."
            f"{_similar(unknown[0], dataset_ids)} Names are ids: file names without ending, with "
            "'<class>__' before them where two classes share a name."
        )
    how = "ids, which are numbers, and not by their places in the data set" if numbers else "ids"
    LOGGER.info("Subset file '%s': %d samples by their %s.", subset_file, len(chosen), how)
    return [id_ for id_ in dataset_ids if id_ in chosen]


def _at_places(dataset_ids: Sequence[str], places: set[int], subset_file: str | Path) -> list[str]:
    last = len(dataset_ids) - 1
    beyond = sorted(place for place in places if place > last)
    if beyond:
        raise DataError(
            f"Subset file '{subset_file}': no sample is called '{beyond[0]}', and the data set "
            f"has no place {beyond[0]}: its {last + 1} samples have the places 0 to {last}. List "
            "ids, or places of this data set."
        )
    how = "places in the data set, from 0"
    LOGGER.info("Subset file '%s': %d samples by their %s.", subset_file, len(places), how)
    return [dataset_ids[place] for place in sorted(places)]


def _similar(name: str, ids: Sequence[str]) -> str:
    stem = PurePath(name).stem
    several = [repr(id_) for id_ in ids if id_.endswith(f"__{stem}")]
    return f" Closest: {', '.join(several[:3])}." if several else closest(stem, ids)


def _read_names(path: Path) -> list[str]:
    try:
        # Names of files may be bytes that are not UTF-8, and are then listed as such.
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise DataError(f"Subset file '{path}' cannot be read: {error}.") from error
    if path.suffix.lower() == ".json" or text.lstrip().startswith("["):
        try:
            names = parse_json(text)
        except ValueError as error:
            raise DataError(f"Subset file '{path}' is not valid JSON: {error}.") from error
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise DataError(f"Subset file '{path}': expected a JSON list of names.")
        return names
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]
