"""Keep what a work directory names inside it: the directory may be a stranger's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from input_iba.errors import DataError

ODD = frozenset("\\:\0")
"""Characters with which the last part of a name may lead elsewhere, on some system."""


def refuse_outside(root: Path, files: Iterable[str], where: Path) -> None:
    """Raise a `DataError` for files that are not inside a work directory.

    Neither may their names lead out of `root`, nor a folder in it that is a link. `where` is the
    file that names them.
    """
    inside = Inside(root, where)
    for file in files:
        inside.check(file)


class Inside:
    """Refuses files outside a work directory, of which it is asked many; see `refuse_outside`."""

    def __init__(self, root: Path, where: Path) -> None:
        self._root, self._where = root, where
        self._home = root.resolve()
        self._known: dict[str, bool] = {}

    def check(self, file: str) -> None:
        """Raise a `DataError` where a file is not inside."""
        folder, _, name = file.rpartition("/")
        whole = file if "/" in file[:1] or ODD.intersection(name) else f"{folder}/a".lstrip("/")
        if whole not in self._known:  # of thousands of files, a few folders
            leads = (self._root / folder).resolve().is_relative_to(self._home)
            self._known[whole] = _is_plain(whole) and leads
        if name == ".." or not self._known[whole]:
            raise DataError(
                f"'{self._where}' names a file outside its work directory: {file!r}. Expected "
                "files inside it, as a run writes them. The directory was changed by hand, or is "
                "not what it claims to be: explain the samples again in another --work-dir."
            )


def _is_plain(file: str) -> bool:
    """Return whether a name leads downwards on every system.

    >>> _is_plain("maps/a.npz"), _is_plain("../a.npz"), _is_plain("C:/a.npz")
    (True, False, False)
    """
    paths = PurePosixPath(file), PureWindowsPath(file)
    absolute = any(path.is_absolute() or path.anchor for path in paths)
    return not absolute and not any(".." in path.parts for path in paths) and "\0" not in file
