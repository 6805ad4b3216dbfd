"""The pictures of a VIBI run, read once and kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from input_iba.datasets import ImageDataset, TorchvisionSet, build_dataset
from input_iba.datasets.images import load_pixels
from input_iba.datasets.normalization import Normalize
from input_iba.training.classifier import split
from input_iba.training.images import LabelledPixels
from input_iba.training.sets import VALIDATION_SHARE, bar, check_classes, drawn
from input_iba.vibi.commands.config import DataSettings

FORMATS = ("png", "jpg", "jpeg", "bmp")


@dataclass(frozen=True)
class Pictures:
    """Pictures with their classes.

    Attributes:
        train: To train on.
        validation: Held out of the training set; the best epoch is chosen on them.
        test: The test set.
        class_names: Names by class index.
        normalize: What the black box's inputs go through, from pixels in [0, 1].
        fingerprints: Of training set and test set.
    """

    train: LabelledPixels
    validation: LabelledPixels
    test: LabelledPixels
    class_names: list[str]
    normalize: Normalize
    fingerprints: tuple[str, str]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return channels, height and width of a picture."""
        channels, height, width = self.train.pixels.shape[1:]
        return channels, height, width


def read_pictures(settings: DataSettings, seed: int) -> Pictures:
    """Read training set and test set, and hold a share of the former out.

    Args:
        settings: Which pictures.
        seed: Draws them, and those held out.

    Raises:
        ConfigError: A setting does not fit the pictures.
        DataError: They are not there, or differ in size.
    """
    train_set, test_set = (_build(settings, name) for name in ("train", "test"))
    check_classes(train_set, test_set)
    samples = _read(train_set, drawn(train_set, settings.num_train, seed))
    train, validation = split(samples, VALIDATION_SHARE, seed)
    test = _read(test_set, drawn(test_set, settings.num_test, seed))
    normalize = Normalize(settings.mean, settings.std)
    normalize(train.pixels[:1].float())  # says at once when channels and values do not match
    return Pictures(
        *(train, validation, test),
        class_names=list(train_set.class_names or []),
        normalize=normalize,
        fingerprints=(train_set.fingerprint(), test_set.fingerprint()),
    )


def _build(settings: DataSettings, name: str) -> ImageDataset:
    resize = {"type": "Resize", "height": settings.size, "width": settings.size}
    cfg: dict[str, Any] = {
        "type": settings.dataset,
        "pipeline": [resize] if settings.size else [],
    }
    if settings.dataset == "ImageFolder":
        cfg |= {"img_root": str(Path(settings.root) / name), "valid_formats": FORMATS}
    else:
        cfg |= {"root": settings.root, "split": name}
    dataset = build_dataset(cfg)
    assert isinstance(dataset, ImageDataset)
    return dataset


def _read(dataset: ImageDataset, indices: Sequence[int]) -> LabelledPixels:
    if isinstance(dataset, TorchvisionSet) and not dataset.pipeline.config:
        samples = LabelledPixels(*dataset.all_pixels())
        return samples if len(indices) == len(dataset) else samples.take(torch.tensor(indices))
    with bar(len(indices), "pictures") as progress:
        return LabelledPixels(*load_pixels(dataset, progress.update, indices))
