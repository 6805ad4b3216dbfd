"""What every training needs of its data: which samples, and a trainer for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from input_iba.datasets import SampleDataset
from input_iba.datasets.ids import draw_ids
from input_iba.errors import DataError
from input_iba.run.progress import refresh_seconds
from input_iba.training.classifier import Trainer, split

VALIDATION_SHARE = 0.05


@dataclass(frozen=True)
class TrainingOptions:
    """What the command line says.

    Attributes:
        work_dir: Folder of log and resumable state.
        train_root: Folder of the training set in place of the root in `data.estimation`.
        test_root: Folder of the test set in place of the root in `data.attribution`.
        num_samples: Samples drawn from the training set, those held out included; 0 for all.
        num_test_samples: Samples drawn from the test set; 0 for all.
        device: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.
        gpu_id: Index of the GPU, as older commands give it.
        precision: 'auto', 'fp32' or 'bf16'.
        resume: Continue after the last whole epoch.
    """

    work_dir: Path
    train_root: Path | None = None
    test_root: Path | None = None
    num_samples: int = 0
    num_test_samples: int = 0
    device: str = "auto"
    gpu_id: int | None = None
    precision: str = "auto"
    resume: bool = False


@dataclass(frozen=True)
class Learner:
    """What learns, and how it computes.

    Attributes:
        model: The untrained classifier, on `device`.
        device: Where to compute.
        autocast: Number format of the layers, or None for float32.
    """

    model: nn.Module
    device: torch.device
    autocast: torch.dtype | None


@dataclass(frozen=True)
class TrainingData:
    """What to train on, and how.

    Attributes:
        noun: What a sample is called.
        train_set: The training set, of which a share is held out.
        test_set: The test set, or None where there is none but the training set.
        read: Reads the samples of a data set at some positions into memory.
        make_trainer: Makes a trainer for data that `read` returned.
    """

    noun: str
    train_set: SampleDataset
    test_set: SampleDataset | None
    read: Callable[[SampleDataset, Sequence[int]], Any]
    make_trainer: Callable[[Any], Trainer[Any]]

    def read_and_split(self, count: int, seed: int) -> tuple[Any, Any]:
        """Read `count` training samples, 0 for all; return those for training, and held out."""
        samples = self.read(self.train_set, drawn(self.train_set, count, seed))
        return split(samples, VALIDATION_SHARE, seed)

    def read_test(self, count: int, seed: int) -> Any:
        """Read `count` test samples, 0 for all."""
        assert self.test_set is not None
        return self.read(self.test_set, drawn(self.test_set, count, seed))


def drawn(dataset: SampleDataset, count: int, seed: int) -> Sequence[int]:
    """Return the positions of `count` samples drawn at random, 0 for all."""
    if count == 0:
        return range(len(dataset))
    chosen = set(draw_ids(dataset.ids, count, seed))
    return [i for i, id_ in enumerate(dataset.ids) if id_ in chosen]


def elsewhere(cfg: Mapping[str, Any], key: str, root: Path | None) -> dict[str, Any]:
    """Return the config of a data set, in another folder unless `root` is None."""
    return {**cfg, key: str(root)} if root is not None else dict(cfg)


def check_classes(train_set: SampleDataset, test_set: SampleDataset) -> None:
    """Refuse a test set of other classes than the training set.

    Raises:
        DataError: Names both.
    """
    if test_set.class_names != train_set.class_names:
        raise DataError(
            f"Training set and test set have other classes: {train_set.class_names} and "
            f"{test_set.class_names}. Give both the same class folders."
        )


def bar(total: int, noun: str) -> Any:
    """Return a progress bar over samples, named by a plural."""
    return tqdm(total=total, desc=noun, unit=f" {noun}", mininterval=refresh_seconds())
