"""Inputs as a caller has them, of whatever kind: what reads them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from input_iba.modality.base import Modality
from input_iba.records import Attribution, Sample, Targets

Asked = tuple[Tensor, Sequence[Sample | None], Targets | None]
"""Inputs (S, …), what there is to look at beside each map, and the targets."""

KEYS = ("pixel_values", "input_ids", "image", "text", "input", "x")
"""Names of the inputs in dicts, before which labels and masks may stand."""

AT_ONCE = 16
"""Samples per forward pass, which does not change the statistics."""


class Inputs(ABC):
    """How a caller's inputs are read, and of what kind they are."""

    modality: Modality

    @abstractmethod
    def read(self, data: Any) -> tuple[Tensor, Sequence[Sample | None]]:
        """Return inputs (S, …), and what there is to look at beside each map.

        Raises:
            DataError: The data are something else.
        """

    def asked(self, data: Any, targets: Targets | None) -> Asked:
        """Return what `read` does, and the targets: a target may ask more than the data hold."""
        return *self.read(data), targets

    @abstractmethod
    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield batches (B, …) of inputs, a loader, a data set or a list.

        Inputs may stand alone, or before labels in tuples and dicts.
        """

    def joined(self, batches: Sequence[Tensor]) -> Tensor:
        """Return batches of inputs as one tensor, (N, …).

        Raises:
            DataError: They are of several sizes.
        """
        return torch.cat(list(batches))

    def samples(self, values: Tensor, looks: Sequence[Sample | None]) -> list[Sample]:
        """Return what `read` returned as one sample each, named by its place."""
        return [
            Sample(str(i), value) if look is None else replace(look, id=str(i), input=value)
            for i, (value, look) in enumerate(zip(values, looks, strict=True))
        ]

    def parted(self, record: Attribution) -> Attribution:
        """Return a record with what it holds of each of several inputs; of one it is whole."""
        return record


def first_of(item: Any) -> Any:
    """Return the inputs in what a loader or a data set yields."""
    if isinstance(item, Mapping):
        known = next((key for key in KEYS if key in item), None)
        return next(iter(item.values())) if known is None else item[known]
    return item[0] if isinstance(item, list | tuple) else item
