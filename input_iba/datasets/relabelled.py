"""A data set whose classes have other numbers and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from input_iba.datasets.base import SampleDataset


class Relabelled(SampleDataset):
    """The samples of another data set, with the class indices of a classifier.

    Args:
        source: The other data set; ids, inputs and files are its own.
        indices: The classifier's index of each of its classes; None where samples of the class are
            explained for the class that the classifier predicts.
        class_names: Names by the classifier's index, or None.
    """

    def __init__(
        self,
        source: SampleDataset,
        indices: Sequence[int | None],
        class_names: Sequence[str] | None,
    ) -> None:
        super().__init__(source.ids, None if class_names is None else list(class_names))
        self.source = source
        self.indices = tuple(indices)

    def __getitem__(self, index: int) -> Any:
        """Read a sample, and give its class the other number."""
        sample = self.source[index]
        return replace(sample, target=self._other(sample.target))

    def target(self, index: int) -> int | None:
        """Return the classifier's index of the sample's class, or None."""
        return self._other(self.source.target(index))

    def path(self, index: int) -> str:
        """Return where the sample comes from."""
        return self.source.path(index)

    def length(self, index: int) -> int:
        """Return the length of a sample, as its own data set measures it."""
        return self.source.length(index)

    def preparation(self) -> list[Any]:
        """Return how the other data set prepares samples, and numbers and names of the classes."""
        kind = type(self.source).__name__
        return [kind, self.source.preparation(), self.indices, self.class_names]

    def content(self) -> list[Any]:
        """Return names and sizes of the samples."""
        return self.source.content()

    def _other(self, target: int | None) -> int | None:
        return None if target is None else self.indices[target]
