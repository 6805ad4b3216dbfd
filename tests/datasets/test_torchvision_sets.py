"""Data sets of torchvision's: pixels, classes, and what is said when they are absent."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from input_iba.datasets import TorchvisionSet, build_dataset
from input_iba.datasets.images import load_pixels
from input_iba.errors import ConfigError, DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
CLASSES = np.array([3, 1, 4, 1, 5], dtype=np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with five digits of each split, in MNIST's own format."""
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for split in ("train", "t10k"):
        images = struct.pack(">IIII", 0x00000803, *PIXELS.shape) + PIXELS.tobytes()
        labels = struct.pack(">II", 0x00000801, len(CLASSES)) + CLASSES.tobytes()
        (raw / f"{split}-images-idx3-ubyte").write_bytes(images)
        (raw / f"{split}-labels-idx1-ubyte").write_bytes(labels)
    return tmp_path


def test_images_and_classes_are_those_of_the_files(root: Path) -> None:
    dataset = build_dataset({"type": "MNIST", "root": str(root), "split": "test"})
    assert isinstance(dataset, TorchvisionSet)
    assert dataset.ids[:2] == ["test_00000", "test_00001"]
    assert dataset.class_names is not None and len(dataset.class_names) == 10
    pixels, targets = dataset.all_pixels()
    assert torch.equal(pixels[:, 0], torch.from_numpy(PIXELS))
    assert targets.tolist() == CLASSES.tolist()
    sample = dataset[2]
    assert sample.target == 4
    assert torch.allclose(sample.input, pixels[2].float() / 255)
    slowly, _ = load_pixels(dataset)
    assert torch.equal(slowly, pixels)


def test_the_fingerprint_changes_with_the_pixels(root: Path) -> None:
    cfg = {"type": "MNIST", "root": str(root)}
    before = build_dataset(cfg).fingerprint()
    assert build_dataset(cfg).fingerprint() == before
    path = root / "MNIST/raw/train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    assert build_dataset(cfg).fingerprint() != before


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "CIFAR10"])
def test_an_absent_data_set_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{name} is not in"):
        build_dataset({"type": name, "root": str(tmp_path), "download": False})


def test_a_split_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'train' or 'test'"):
        build_dataset({"type": "MNIST", "root": str(tmp_path), "split": "val"})
