"""Finding images or texts in folders, one folder a class."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from input_iba.errors import DataError


class Entry(NamedTuple):
    """The file of a sample, and the name of its class folder, None in a flat folder."""

    path: Path
    group: str | None

    def name_and_size(self, root: Path) -> list[str | int]:
        """Return the name below the data set's folder, and the size in bytes."""
        below = "/".join(self.path.parts[len(root.parts) :])  # `relative_to` takes five times that
        return [below, os.stat(self.path).st_size]  # noqa: PTH116  of many thousands of files


def class_folders(root: Path, key: str = "img_root") -> list[Path]:
    """Return the class folders in `root`, which a config calls `key`, by name; no hidden ones.

    Raises:
        DataError: `root` is not a folder.
    """
    if not root.is_dir():
        found = "a file" if root.exists() else "nothing"
        raise DataError(
            f"Data folder '{root}': expected a folder, found {found} there. Check `{key}`; "
            "paths count from the folder the command is started in."
        )
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def find_files(
    root: Path, folders: Sequence[Path], suffixes: Iterable[str], noun: str = "images"
) -> list[Entry]:
    """List the files in class folders, or in `root` itself where there are none.

    Suffixes are with a dot, in lower case; messages call the files `noun`.

    Raises:
        DataError: A folder holds none.
    """
    suffixes = tuple(suffixes)
    entries = []
    for folder in folders or [root]:
        with os.scandir(folder) as found:  # which knows what are files without asking for each
            names = sorted(item.name for item in found if item.is_file() and item.name[0] != ".")
        chosen = [folder / name for name in names if Path(name).suffix.lower() in suffixes]
        if not chosen:
            endings = Counter(Path(name).suffix.lower() or "none" for name in names).most_common(3)
            instead = ", ".join(f"{count} with ending {ending}" for ending, count in endings)
            raise DataError(
                f"{'Class' if folders else 'Data'} folder '{folder}' has no {noun} "
                f"({', '.join(suffixes)}); found {instead or 'no files'}. Expected the layout "
                f"'{root}/<class>/<name>{suffixes[0]}': add {noun}, remove the folder, or set "
                "`valid_formats` where the data set has it."
            )
        entries += [Entry(path, folder.name if folders else None) for path in chosen]
    return entries
