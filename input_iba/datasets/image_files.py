"""Pictures that were named one by one, for instance on the command line."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from input_iba.datasets.class_index import Classes, classes_of_file, imagenet_classes
from input_iba.datasets.ids import unique_ids
from input_iba.datasets.images import read_image
from input_iba.datasets.pictures import PictureDataset, PipelineConfig
from input_iba.datasets.targets import for_every_target
from input_iba.errors import ConfigError, DataError
from input_iba.registry import DATASETS

IMAGENET = "imagenet"


class PictureFiles(PictureDataset):
    """Picture files, each of them once for every target.

    Args:
        files: Paths of the pictures.
        pipeline: Transforms as plain data.
        targets: What each picture is explained for: class indices, names, or WordNet ids; none
            for the class that the classifier predicts.
        classes: 'imagenet', a JSON file like `resources/imagenet_class_index.json`, or None where
            classes have no names.
        channels: Channels of the inputs: 3 (RGB) or 1 (grey).

    Raises:
        ConfigError: Unknown class, or there are no files.
        DataError: A file is missing.
    """

    indices_given = True

    def __init__(
        self,
        files: Sequence[str | Path],
        pipeline: PipelineConfig,
        targets: Sequence[int | str] = (),
        classes: str | Path | None = IMAGENET,
        channels: int = 3,
    ) -> None:
        if isinstance(files, str | Path) or not files:
            raise ConfigError(f"`files` is a list of paths of pictures; got {files!r}.")
        paths = [_existing(Path(file)) for file in files]
        known = named_classes(classes)
        ids = unique_ids([(path.absolute().parent.name, path.name) for path in paths])
        asked = for_every_target(ids, known, targets)
        names = None if known is None else list(known.names)
        super().__init__([sample.id for sample in asked], pipeline, names, channels)
        self._samples = [(paths[sample.place], sample.target) for sample in asked]

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB picture; no boxes."""
        return read_image(self._samples[index][0]), None

    def target(self, index: int) -> int | None:
        """Return the class index that was asked for, or None."""
        return self._samples[index][1]

    def path(self, index: int) -> str:
        """Return the picture's path."""
        return str(self._samples[index][0])

    def content(self) -> list[Any]:
        """Return name, checksum and target of every picture."""
        return [[p.name, zlib.crc32(p.read_bytes()), target] for p, target in self._samples]


def named_classes(classes: str | Path | None) -> Classes | None:
    """Return the classes that the key `classes` of a config stands for."""
    if classes is None:
        return None
    return imagenet_classes() if classes == IMAGENET else classes_of_file(classes)


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    found = "It is a folder: name the pictures in it" if path.is_dir() else "Check the path"
    raise DataError(f"Picture '{path}': expected a file, found none. {found}.")


DATASETS.register_module(name="PictureFiles", module=PictureFiles)
