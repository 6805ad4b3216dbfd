"""What a classifier is called with beside the inputs that are masked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from input_iba.errors import AttributionError


@dataclass(frozen=True, eq=False)
class Arguments:
    """Further arguments of a classifier, as captum's `additional_forward_args`.

    Attributes:
        values: In the order of the classifier's forward method, behind the inputs. Tensors have one
            row per sample; those without dimensions, and all else, are passed as they are.
    """

    values: tuple[Any, ...] = ()

    @classmethod
    def of(cls, given: Any, device: torch.device) -> Arguments:
        """Return arguments on a device; a caller gives one, a tuple of them, or None.

        >>> Arguments.of((torch.zeros(2, 3), "mean"), torch.device("cpu")).repeat(2).values[1]
        'mean'
        """
        values = given if isinstance(given, tuple) else (() if given is None else (given,))
        return cls(tuple(v.to(device) if isinstance(v, Tensor) else v for v in values))

    def select(self, rows: Sequence[int] | slice) -> Arguments:
        """Return those of some of the samples."""
        which = rows if isinstance(rows, slice) else list(rows)
        return self._each(lambda value: value[which])

    def repeat(self, times: int) -> Arguments:
        """Return every sample's `times` times in turn."""
        return self._each(lambda value: value.repeat_interleave(times, 0))

    def copied(self) -> tuple[Any, ...]:
        """Return them for a call: what is written into in place is not the caller's."""
        return self._each(torch.clone).values

    def check(self, samples: int) -> None:
        """Refuse tensors that have not one row per sample.

        Raises:
            AttributionError: Names the argument and its shape.
        """
        for i, value in enumerate(self.values):
            if isinstance(value, Tensor) and value.ndim and len(value) != samples:
                raise AttributionError(
                    f"additional_forward_args[{i}] has shape {tuple(value.shape)} for {samples} "
                    "inputs; expected one row for each. Expand what is the same for all, or give "
                    "it as something else than a tensor."
                )

    def _each(self, change: Callable[[Tensor], Tensor]) -> Arguments:
        by_row = (isinstance(value, Tensor) and value.ndim > 0 for value in self.values)
        changed = zip(self.values, by_row, strict=True)
        return Arguments(tuple(change(value) if rows else value for value, rows in changed))


NO_ARGUMENTS = Arguments()
