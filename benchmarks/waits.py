"""A meter of what would make the processor wait for an accelerator, on any device.

A number that is read out of a tensor, and a shape that depends on what is in one, are to be had
only when the device has done all that it was told before. On a CPU nothing is waited for, but it
can be counted where that is done.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import input_iba

PACKAGE = str(Path(input_iba.__file__).parent)
TORCH = str(Path(torch.__file__).parent)
OPTIMISERS = str(Path(torch.optim.__file__).parent)
"""Whose counts of steps are on the processor in any case."""

READING = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal", "bincount")
"""Operations whose results are to be known before anything else is done."""

INDEXING = ("index", "index_put", "index_put_")
"""Those that are, where they are given a tensor of True and False."""

TAKING = ("tolist", "cpu", "numpy")
"""Methods that take values out without any operation."""


class Waits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts by the line of the package that waits; a context manager.

    Attributes:
        at: How often, by line.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.at: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Count an operation, and do it."""
        name = func.overloadpacket.__name__
        if name in READING or (name in INDEXING and _masked(args[1])):
            self.note()
        return func(*args, **(kwargs or {}))

    def note(self) -> None:
        """Count a line of the package; what a model does, or an optimiser's count, is not ours."""
        for file, line in frames(sys._getframe(1)):
            if file.startswith(PACKAGE):
                self.at[f"{Path(file).relative_to(PACKAGE)}:{line}"] += 1
            if file.startswith(OPTIMISERS) or not file.startswith((TORCH, __file__)):
                return


def frames(frame: FrameType | None) -> Iterator[tuple[str, int]]:
    """Yield file and line of a frame and of all that called it."""
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back


def _masked(indices: Any) -> bool:
    return any(isinstance(one, Tensor) and one.dtype is torch.bool for one in indices)


@contextmanager
def waits() -> Iterator[Waits]:
    """Count while the block runs."""
    found = Waits()

    def noted(method: Callable[..., Any]) -> Callable[..., Any]:
        def take(*args: Any, **kwargs: Any) -> Any:
            found.note()
            return method(*args, **kwargs)

        return take

    methods: Any = {name: noted(getattr(Tensor, name)) for name in TAKING}
    with patch.multiple(Tensor, **methods), found:
        yield found
