"""Pictures in folders, classes numbered in the order of the folders' names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from input_iba.datasets.folders import FolderDataset, class_folders, find_images
from input_iba.datasets.pictures import PipelineConfig
from input_iba.errors import ConfigError
from input_iba.registry import DATASETS


class ImageFolder(FolderDataset):
    """Pictures in `img_root/<class>/`; a flat folder of pictures has no targets.

    Args:
        img_root: The data set's folder.
        pipeline: Transforms as plain data.
        valid_formats: Endings of the files to take, with or without dot, in any case.
        channels: Channels of the inputs: 3 (RGB) or 1 (grey).

    Raises:
        DataError: The folder, or a class folder, is missing or empty.
    """

    def __init__(
        self,
        img_root: str | Path,
        pipeline: PipelineConfig,
        valid_formats: Sequence[str] = ("png",),
        channels: int = 3,
    ) -> None:
        formats = [valid_formats] if isinstance(valid_formats, str) else valid_formats
        if not formats:
            raise ConfigError("`valid_formats` of ImageFolder is empty; give e.g. ('png', 'jpg').")
        suffixes = [f".{name.lower().lstrip('.')}" for name in formats]
        root = Path(img_root)
        folders = class_folders(root)
        names = [folder.name for folder in folders]
        entries = find_images(root, folders, suffixes)
        targets = {name: i for i, name in enumerate(names)}
        super().__init__(root, entries, targets, pipeline, names or None, channels)


DATASETS.register_module(name="ImageFolder", module=ImageFolder)
