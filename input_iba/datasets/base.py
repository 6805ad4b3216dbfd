"""What every data set is: samples by position, with unique ids and a fingerprint."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch.utils.data import Dataset

from input_iba.registry import DATASETS, build


class SampleDataset(Dataset[Any], ABC):
    """Samples by position; the same position always gives the same sample.

    Args:
        ids: One name per sample, all different; names of files in the work directory.
        class_names: Names by class index, or None where there are no classes.

    Attributes:
        ids: One name per sample.
        class_names: Names by class index, or None.
        indices_given: Whether the user said which class has which index, in a file or by number;
            else the data set counts its classes in an order of its own.
    """

    indices_given: bool = False

    def __init__(self, ids: list[str], class_names: list[str] | None = None) -> None:
        self.ids = ids
        self.class_names = class_names

    def __len__(self) -> int:
        return len(self.ids)

    # Any: an ImageSample or a TextSample, as the sub-class says.
    @abstractmethod
    def __getitem__(self, index: int) -> Any:
        """Read one sample, ready for the classifier.

        Raises:
            DataError: The sample cannot be used; names its file and says why.
        """

    @abstractmethod
    def target(self, index: int) -> int | None:
        """Return the class index, or None for the class that the classifier predicts."""

    @abstractmethod
    def path(self, index: int) -> str:
        """Return where the sample comes from, for messages."""

    def length(self, index: int) -> int:
        """Return a measure of a sample's length; samples as long are explained together."""
        return 0

    @abstractmethod
    def preparation(self) -> list[Any]:
        """Return plain data that changes whenever samples are prepared in another way."""

    @abstractmethod
    def content(self) -> list[Any]:
        """Return plain data that changes whenever the samples do: names and sizes."""

    def fingerprint(self) -> str:
        """Return a SHA-256 over names, sizes and preparation, 64 hexadecimal digits.

        It does not change when a data set moves to another folder.
        """
        what = [type(self).__name__, *self.preparation(), self.content()]
        return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()


def build_dataset(cfg: Mapping[str, Any]) -> SampleDataset:
    """Build the data set that a config names by `type`.

    Raises:
        ConfigError: Unknown type, key or transform.
        DataError: The files are not there.

    >>> cfg = dict(type="Samples", names=["chelsea"], pipeline=[dict(type="ToTensor")])
    >>> dataset = build_dataset(cfg)
    >>> dataset.ids, dataset[0].input.shape
    (['chelsea'], torch.Size([3, 300, 451]))
    """
    dataset: SampleDataset = build(DATASETS, cfg)
    return dataset
