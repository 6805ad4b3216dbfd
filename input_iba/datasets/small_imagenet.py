"""Choose a small estimation set and attribution set from an ImageNet-like folder."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

from input_iba.datasets.folders import class_folders, find_files
from input_iba.datasets.images import SUFFIXES
from input_iba.errors import ConfigError, DataError

INDEX_FILE = "imagenet_class_index.json"


def generate_small_imagenet(
    source: Path,
    destination: Path,
    index_file: Path,
    n: int = 10,
    n_attribution: int = 1,
    annotations: Path | None = None,
    seed: int = 0,
) -> tuple[int, int]:
    """Copy two disjoint random choices of images, with annotations and class index.

    The destination appears whole or not at all, in the layout that the ImageNet configs read:
    `images/{estimation,attribution}/<wnid>/`, `annotations/attribution/<wnid>/`, and the class
    index beside them.

    Args:
        source: Folder of class folders of images, or one with these in `images/`.
        destination: Folder to write; absent or empty.
        index_file: Class index file to take along.
        n: Images per class in the estimation set.
        n_attribution: Images per class in the attribution set.
        annotations: Folder of class folders of XML files; by default `annotations/` in the source
            or beside it, when there is one.
        seed: Of the choice.

    Returns:
        Numbers of classes and of annotation files.

    Raises:
        ConfigError: A number is below one, or the destination is in use.
        DataError: The source has no class folders, or a class too few images.
    """
    _check(destination, index_file, annotations, n, n_attribution)
    classes = _by_class(source / "images" if (source / "images").is_dir() else source)
    beside = (source / "annotations", source.parent / "annotations")
    boxes = annotations or next((folder for folder in beside if folder.is_dir()), None)
    # Written aside, then renamed: a run that is stopped leaves nothing that looks finished.
    aside = destination.with_name(f".{destination.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        found = 0
        for name, paths in classes.items():
            chosen = _choose(name, paths, n + n_attribution, seed)
            _copy(chosen[:n], aside / "images/estimation" / name)
            _copy(chosen[n:], aside / "images/attribution" / name)
            if boxes is not None:
                files = [boxes / path.parent.name / f"{path.stem}.xml" for path in chosen[n:]]
                files = [file for file in files if file.is_file()]
                _copy(files, aside / "annotations/attribution" / name)
                found += len(files)
        shutil.copyfile(index_file, aside / INDEX_FILE)
        if destination.exists():
            destination.rmdir()
        aside.rename(destination)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return len(classes), found


def _check(
    destination: Path, index_file: Path, annotations: Path | None, n: int, n_attribution: int
) -> None:
    if n < 1 or n_attribution < 1:
        raise ConfigError(
            f"Numbers of images per class must be at least 1; got {n} for estimation and "
            f"{n_attribution} for attribution."
        )
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise ConfigError(
            f"Destination '{destination}' is not empty. Remove it, or name another folder."
        )
    if not index_file.is_file():
        raise DataError(f"Class index file '{index_file}' does not exist. Set --index-file.")
    if annotations is not None and not annotations.is_dir():
        raise DataError(f"Folder of annotations '{annotations}' does not exist.")


def _by_class(images: Path) -> dict[str, list[Path]]:
    folders = class_folders(images)
    if not folders:
        raise DataError(
            f"Source '{images}' has no class folders. Expected the layout "
            f"'{images}/<wnid>/<name>.JPEG'."
        )
    classes: dict[str, list[Path]] = {}
    for entry in find_files(images, folders, SUFFIXES):
        classes.setdefault(str(entry.group), []).append(entry.path)
    return classes


def _choose(name: str, paths: Sequence[Path], count: int, seed: int) -> list[Path]:
    if len(paths) < count:
        raise DataError(
            f"Class '{name}' has {len(paths)} images; {count} are needed for two disjoint sets. "
            "Lower --n or --n-attribution."
        )
    # A generator per class: further classes do not change the choice.
    return random.Random(f"{seed}/{name}").sample(paths, count)


def _copy(paths: Sequence[Path], folder: Path) -> None:
    if paths:
        folder.mkdir(parents=True)
    for path in paths:
        shutil.copyfile(path, folder / path.name)
