"""Small data sets that torchvision downloads: MNIST, FashionMNIST, CIFAR-10."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor

from input_iba.datasets.images import ImageDataset
from input_iba.datasets.pipeline import PipelineConfig
from input_iba.errors import ConfigError, DataError
from input_iba.registry import DATASETS


class TorchvisionSet(ImageDataset):
    """A data set of torchvision's, in memory.

    Args:
        root: Where it lies, or where it is downloaded to.
        split: 'train' or 'test'.
        channels: See `ImageDataset`, as `pipeline`; None for the data set's own.
        download: Whether to download it when it is absent.
    """

    name = ""
    own_channels = 3

    def __init__(
        self,
        root: str | Path = "data",
        split: str = "train",
        pipeline: PipelineConfig = (),
        channels: int | None = None,
        download: bool = True,
    ) -> None:
        if split not in ("train", "test"):
            raise ConfigError(f"`split` of {self.name} is 'train' or 'test'; got {split!r}.")
        try:
            read = getattr(torchvision.datasets, self.name)
            found = read(Path(root), train=split == "train", download=download)
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"{self.name} is not in '{root}' and could not be downloaded: {error}. Give the "
                "folder that torchvision downloaded it to, or connect to the internet."
            ) from error
        self._pixels: np.ndarray[Any, np.dtype[np.uint8]] = np.asarray(found.data, dtype=np.uint8)
        self._labels = torch.as_tensor(found.targets, dtype=torch.int64)
        targets = self._labels.tolist()
        ids = [f"{split}_{i:05d}" for i in range(len(targets))]
        paths = [f"{root}, {self.name} {split} {i}" for i in range(len(targets))]
        channels = channels or self.own_channels
        super().__init__(ids, pipeline, found.classes, channels, targets=targets, paths=paths)

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the image; there are no boxes."""
        return Image.fromarray(self._pixels[index]), None

    def content(self) -> list[Any]:
        """Return a digest of all pixels and classes."""
        digest = hashlib.sha256(self._pixels.tobytes() + self._labels.numpy().tobytes())
        return [len(self), digest.hexdigest()]

    def all_pixels(self) -> tuple[Tensor, Tensor]:
        """Return all images (N, C, H, W), uint8, before any transform, and their classes (N,)."""
        pixels = torch.from_numpy(self._pixels.copy())
        pixels = pixels[:, None] if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2).contiguous()
        return pixels, self._labels.clone()


@DATASETS.register_module()
class MNIST(TorchvisionSet):
    """Handwritten digits: 60,000 and 10,000 grey images of 28×28 (LeCun et al. 1998)."""

    name, own_channels = "MNIST", 1


@DATASETS.register_module()
class FashionMNIST(TorchvisionSet):
    """Pieces of clothing: 60,000 and 10,000 grey images of 28×28 (arXiv 1708.07747)."""

    name, own_channels = "FashionMNIST", 1


@DATASETS.register_module()
class CIFAR10(TorchvisionSet):
    """Things and animals: 50,000 and 10,000 images of 32×32 (Krizhevsky 2009)."""

    name = "CIFAR10"
