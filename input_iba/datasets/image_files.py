"""Data sets of image files: named one by one, in class folders, or in the layout of ImageNet."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from input_iba.datasets.boxes import read_voc_boxes
from input_iba.datasets.class_index import (
    IMAGENET,
    classes_of_file,
    for_every_target,
    named_classes,
)
from input_iba.datasets.folders import Entry, class_folders, find_files
from input_iba.datasets.ids import unique_ids
from input_iba.datasets.images import SUFFIXES, ImageDataset, read_image
from input_iba.datasets.pipeline import PipelineConfig
from input_iba.errors import ConfigError, DataError
from input_iba.registry import DATASETS


@DATASETS.register_module()
class PictureFiles(ImageDataset):
    """Image files, each of them once for every target.

    Args:
        files: Paths of the images.
        targets: What each image is explained for: class indices, names, or WordNet ids; none for
            the class that the classifier predicts.
        classes: 'imagenet', a JSON file like `resources/imagenet_class_index.json`, a list of names
            by index, or None where classes have no names.
    """

    indices_given = True

    def __init__(
        self,
        files: Sequence[str | Path],
        pipeline: PipelineConfig,
        targets: Sequence[int | str] = (),
        classes: str | Path | Sequence[str] | None = IMAGENET,
        channels: int = 3,
    ) -> None:
        if isinstance(files, str | Path) or not files:
            raise ConfigError(f"`files` is a list of paths of images; got {files!r}.")
        paths = [Path(file) for file in files]
        for path in paths:
            if not path.is_file():
                remedy = (
                    "It is a folder: name the images in it" if path.is_dir() else "Check the path"
                )
                raise DataError(f"Image '{path}': expected a file, found none. {remedy}.")
        known = named_classes(classes)
        ids = unique_ids([(path.absolute().parent.name, path.name) for path in paths])
        ids, places, every = for_every_target(ids, known, targets)
        names = None if known is None else known.names
        shown = [str(paths[place]) for place in places]
        super().__init__(ids, pipeline, names, channels, targets=every, paths=shown)
        self.files = [paths[place] for place in places]

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB image; no boxes."""
        return read_image(self.files[index]), None

    def content(self) -> list[Any]:
        """Return name, checksum and target of every image."""
        samples = zip(self.files, self._targets, strict=True)
        return [[path.name, zlib.crc32(path.read_bytes()), target] for path, target in samples]


class FolderDataset(ImageDataset):
    """Images in class folders below `root`; folders that `indices` lacks have no class index."""

    def __init__(
        self,
        root: Path,
        entries: list[Entry],
        indices: dict[str, int],
        pipeline: PipelineConfig,
        class_names: Sequence[str],
        channels: int,
    ) -> None:
        ids = unique_ids([(entry.group, entry.path.name) for entry in entries])
        targets = [indices.get(entry.group or "") for entry in entries]
        paths = [str(entry.path) for entry in entries]
        super().__init__(ids, pipeline, class_names, channels, targets=targets, paths=paths)
        self.root = root
        self.entries = entries

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB image; no boxes."""
        return read_image(self.entries[index].path), None

    def target(self, index: int) -> int | None:
        """Return the class index of the sample's folder, or None in a flat folder."""
        target, group = super().target(index), self.entries[index].group
        if target is None and group is not None:
            raise DataError(
                f"Image '{self.path(index)}': class folder '{group}' has no class index. Add it "
                "to the class index file, or remove the folder."
            )
        return target

    def content(self) -> list[Any]:
        """Return relative name, size in bytes and class index of every image."""
        samples = zip(self.entries, self._targets, strict=True)
        return [[*entry.name_and_size(self.root), target] for entry, target in samples]


@DATASETS.register_module()
class ImageFolder(FolderDataset):
    """Images in `img_root/<class>/`; a flat folder of images has no targets.

    Args:
        img_root: The data set's folder; its classes are numbered in the order of their names.
        valid_formats: Endings of the files to take, with or without dot, in any case.
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
        entries = find_files(root, folders, suffixes)
        indices = {name: i for i, name in enumerate(names)}
        super().__init__(root, entries, indices, pipeline, names, channels)


@DATASETS.register_module()
class ImageNet(FolderDataset):
    """Images in `img_root/<wnid>/`; `with_bbox`, boxes in `annot_root/<wnid>/<name>.xml`.

    `ind_to_cls_file` is a JSON file: class index → [wnid, name].
    """

    indices_given = True

    def __init__(
        self,
        img_root: str | Path,
        ind_to_cls_file: str | Path,
        pipeline: PipelineConfig,
        annot_root: str | Path | None = None,
        with_bbox: bool = False,
        channels: int = 3,
    ) -> None:
        root = Path(img_root)
        folders = class_folders(root)
        if not folders:
            raise DataError(
                f"Data folder '{root}' has no class folders. Expected the layout "
                f"'{root}/<wnid>/<name>.JPEG', e.g. n01440764/….JPEG; for a flat folder of "
                "images use type='ImageFolder'."
            )
        if with_bbox and annot_root is None:
            raise ConfigError(
                "ImageNet with with_bbox=True needs `annot_root`, the folder of the boxes' XML "
                "files; or set with_bbox=False."
            )
        if with_bbox and not Path(str(annot_root)).is_dir():
            raise DataError(
                f"Folder of boxes '{annot_root}' does not exist. Expected the layout "
                f"'{annot_root}/<wnid>/<name>.xml': correct `annot_root`, or set with_bbox=False."
            )
        classes = classes_of_file(ind_to_cls_file)
        indices = {wnid: index for index, wnid in enumerate(classes.ids)}
        entries = find_files(root, folders, SUFFIXES)
        super().__init__(root, entries, indices, pipeline, classes.names, channels)
        self.annot_root = Path(str(annot_root)) if with_bbox else None

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB image, and its boxes (n, 4) where they are wanted."""
        if self.annot_root is None:
            return super().read(index)
        entry = self.entries[index]
        # Boxes are drawn on the pixels as they are stored, whatever the EXIF entry says.
        image = read_image(entry.path, upright=False)
        file = self.annot_root / str(entry.group) / f"{entry.path.stem}.xml"
        return image, read_voc_boxes(file, image.width, image.height)

    def content(self) -> list[Any]:
        """Return whether there are boxes, and name, size and class index of every image."""
        return [self.annot_root is not None, *super().content()]
