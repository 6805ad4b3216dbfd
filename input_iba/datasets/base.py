"""What every data set is: samples by position, with unique ids and a fingerprint."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch.utils.data import Dataset

from input_iba.registry import DATASETS, build


class SampleDataset(Dataset[Any], ABC):
    """Samples by position; the same position always gives the same sample.

    Args:
        ids: One name per sample, all different; names of files in the work directory.
        class_names: Names by class index, or None where there are no classes.
        targets: Class index of each sample, None for the class that the classifier predicts; None
            for none.
        paths: Where each sample comes from, for messages.
    """

    indices_given: bool = False
    """Whether the user said which class has which index; else the data set counts its classes."""

    def __init__(
        self,
        ids: list[str],
        class_names: Sequence[str] | None = None,
        targets: Sequence[int | None] | None = None,
        paths: Sequence[str] = (),
    ) -> None:
        self.ids = ids
        self.class_names = list(class_names) if class_names else None
        self._targets = [None] * len(ids) if targets is None else targets
        self._paths = paths

    def __len__(self) -> int:
        return len(self.ids)

    @abstractmethod
    def __getitem__(self, index: int) -> Any:
        """Read an `ImageSample` or a `TextSample`, ready for the classifier.

        Raises:
            DataError: The sample cannot be used; names its file and says why.
        """

    def target(self, index: int) -> int | None:
        """Return the class index, or None for the class that the classifier predicts."""
        return self._targets[index]

    def path(self, index: int) -> str:
        """Return where the sample comes from, for messages."""
        return self._paths[index]

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
        """Return a SHA-256 that stays the same when a data set moves to another folder."""
        what = [type(self).__name__, *self.preparation(), self.content()]
        return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()


class DatasetView(SampleDataset):
    """The samples of another data set, read in another way; ids and files are its own."""

    def __init__(self, source: SampleDataset, class_names: Sequence[str] | None) -> None:
        super().__init__(source.ids, class_names)
        self.source = source

    def target(self, index: int) -> int | None:
        """Return the class index in the other data set."""
        return self.source.target(index)

    def path(self, index: int) -> str:
        """Return where the sample comes from."""
        return self.source.path(index)

    def length(self, index: int) -> int:
        """Return the length of a sample, as its own data set measures it."""
        return self.source.length(index)

    def content(self) -> list[Any]:
        """Return names and sizes of the samples."""
        return self.source.content()


class Relabelled(DatasetView):
    """The samples of another data set, with the class indices of a classifier.

    `indices` has the classifier's index of each of its classes; None where samples of the class are
    explained for the class that the classifier predicts. `class_names` are by the former.
    """

    def __init__(
        self,
        source: SampleDataset,
        indices: Sequence[int | None],
        class_names: Sequence[str] | None,
    ) -> None:
        super().__init__(source, class_names)
        self.indices = tuple(indices)

    def __getitem__(self, index: int) -> Any:
        return replace(self.source[index], target=self.target(index))

    def target(self, index: int) -> int | None:
        """Return the classifier's index of the sample's class, or None."""
        target = self.source.target(index)
        return None if target is None else self.indices[target]

    def preparation(self) -> list[Any]:
        """Return how the other data set prepares samples, and numbers and names of the classes."""
        kind = type(self.source).__name__
        return [kind, self.source.preparation(), self.indices, self.class_names]


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
