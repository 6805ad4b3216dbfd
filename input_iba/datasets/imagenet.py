"""The folder layout of ImageNet, with or without boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from input_iba.datasets.boxes import read_voc_boxes
from input_iba.datasets.class_index import names_by_index, read_class_index
from input_iba.datasets.folders import FolderDataset, class_folders, find_images
from input_iba.datasets.images import SUFFIXES, read_image
from input_iba.datasets.pictures import PipelineConfig
from input_iba.errors import ConfigError, DataError
from input_iba.registry import DATASETS


class ImageNet(FolderDataset):
    """Pictures in `img_root/<wnid>/`, boxes in `annot_root/<wnid>/<name>.xml`.

    Args:
        img_root: Folder of the pictures.
        ind_to_cls_file: JSON file: class index → [wnid, name].
        pipeline: Transforms as plain data.
        annot_root: Folder of the boxes; only read with `with_bbox`.
        with_bbox: Whether samples carry their boxes.
        channels: Channels of the inputs: 3 (RGB) or 1 (grey).

    Raises:
        ConfigError: Boxes are wanted and `annot_root` is not given.
        DataError: A folder or the class index file is missing, or a class folder is empty.
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
                "pictures use type='ImageFolder'."
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
        classes = read_class_index(ind_to_cls_file)
        targets = {wnid: index for index, (wnid, _) in classes.items()}
        entries = find_images(root, folders, SUFFIXES)
        super().__init__(root, entries, targets, pipeline, names_by_index(classes), channels)
        self.annot_root = Path(str(annot_root)) if with_bbox else None

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB picture, and its boxes (n, 4) where they are wanted."""
        entry = self.entries[index]
        if self.annot_root is None:
            return read_image(entry.path), None
        # Boxes are drawn on the pixels as they are stored, whatever the EXIF entry says.
        image = read_image(entry.path, upright=False)
        file = self.annot_root / str(entry.group) / f"{entry.path.stem}.xml"
        return image, read_voc_boxes(file, image.width, image.height)

    def content(self) -> list[Any]:
        """Return relative name, size in bytes and class index of every picture."""
        return [self.annot_root is not None, *super().content()]


DATASETS.register_module(name="ImageNet", module=ImageNet)
