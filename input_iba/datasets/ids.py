"""Names for samples that are short, and unique in their data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath


def unique_ids(files: Sequence[tuple[str | None, str]]) -> list[str]:
    """Name every sample by its file's stem, and by more where stems are not unique.

    All samples of one stem become `<class>__<stem>`; where those clash too, the ending is added,
    and at last the position. Names that differ in upper and lower case only count as equal, since
    some file systems cannot hold both.

    Args:
        files: Class folder (None without classes) and file name of each sample, in the data
            set's order.

    Returns:
        One id per sample, all different.

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


def _name(group: str | None, file_name: str, level: int, position: int) -> str:
    path = PurePath(file_name)
    parts = path.stem
    if level >= 1 and group is not None:
        parts = f"{group}__{parts}"
    if level >= 2:
        parts = f"{parts}_{path.suffix.lstrip('.')}"
    return f"{parts}_{position}" if level >= 3 else parts
