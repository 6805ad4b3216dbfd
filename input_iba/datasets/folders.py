"""Finding pictures or texts in folders, one folder a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from input_iba.datasets.ids import unique_ids
from input_iba.datasets.images import read_image
from input_iba.datasets.pictures import PictureDataset, PipelineConfig
from input_iba.errors import DataError


@dataclass(frozen=True)
class Entry:
    """A file of one sample.

    Attributes:
        path: The file.
        group: Name of its class folder, or None in a flat folder.
    """

    path: Path
    group: str | None


def class_folders(root: Path, key: str = "img_root") -> list[Path]:
    """Return the class folders in `root`, sorted by name; hidden ones are left out.

    Args:
        root: The data set's folder.
        key: What a config calls it.

    Raises:
        DataError: `root` is no folder.
    """
    if not root.is_dir():
        found = "a file" if root.exists() else "nothing"
        raise DataError(
            f"Data folder '{root}': expected a folder, found {found} there. Check `{key}`; "
            "paths count from the folder the command is started in."
        )
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))


def find_images(
    root: Path, folders: Iterable[Path], suffixes: Iterable[str], noun: str = "pictures"
) -> list[Entry]:
    """List the files in class folders, or in `root` itself where there are none.

    Args:
        root: The data set's folder.
        folders: Its class folders; may be none.
        suffixes: Endings with a dot, in lower case.
        noun: What the files are called.

    Returns:
        Entries sorted by class and file name.

    Raises:
        DataError: A folder holds none.
    """
    suffixes = tuple(suffixes)
    layout = f"'{root}/<class>/<name>{suffixes[0]}'"
    folders = list(folders)
    entries = []
    for folder in folders or [root]:
        files = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != ".")
        chosen = [p for p in files if p.suffix.lower() in suffixes]
        if not chosen:
            endings = Counter(p.suffix.lower() or "none" for p in files).most_common(3)
            instead = ", ".join(f"{count} with ending {ending}" for ending, count in endings)
            kind = "Class folder" if folders else "Data folder"
            raise DataError(
                f"{kind} '{folder}' has no {noun} ({', '.join(suffixes)}); found "
                f"{instead or 'no files'}. Expected the layout {layout}: add {noun}, remove the "
                "folder, or set `valid_formats` where the data set has it."
            )
        entries += [Entry(path, folder.name if folders else None) for path in chosen]
    return entries


class FolderDataset(PictureDataset):
    """Pictures in class folders.

    Args:
        root: The data set's folder.
        entries: Its pictures.
        targets: Class index by class folder; folders that are absent have none.
        pipeline: Transforms as plain data.
        class_names: Names by class index, or None.
        channels: Channels of the inputs: 3 (RGB) or 1 (grey).
    """

    def __init__(
        self,
        root: Path,
        entries: list[Entry],
        targets: dict[str, int],
        pipeline: PipelineConfig,
        class_names: list[str] | None,
        channels: int,
    ) -> None:
        ids = unique_ids([(entry.group, entry.path.name) for entry in entries])
        super().__init__(ids, pipeline, class_names, channels)
        self.root = root
        self.entries = entries
        self.targets = targets

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB picture; no boxes."""
        return read_image(self.entries[index].path), None

    def target(self, index: int) -> int | None:
        """Return the class index of the sample's folder, or None in a flat folder.

        Raises:
            DataError: The folder has no class index.
        """
        group = self.entries[index].group
        if group is None:
            return None
        if group not in self.targets:
            raise DataError(
                f"Picture '{self.path(index)}': class folder '{group}' has no class index. Add "
                "it to the class index file, or remove the folder."
            )
        return self.targets[group]

    def path(self, index: int) -> str:
        """Return the picture's path."""
        return str(self.entries[index].path)

    def content(self) -> list[Any]:
        """Return relative name, size in bytes and class index of every picture."""
        return [
            [
                entry.path.relative_to(self.root).as_posix(),
                entry.path.stat().st_size,
                None if entry.group is None else self.targets.get(entry.group),
            ]
            for entry in self.entries
        ]
