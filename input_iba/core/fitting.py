"""How many samples and rows are computed at once, and what to do when memory runs out."""

from __future__ import annotations

import gc
import math
from collections.abc import Sequence

import torch
from torch import Tensor

Shape = tuple[int, ...]

PIXELS_AT_ONCE = 32 * 224 * 224
"""Pixels that the classifier sees at once on a CPU; accelerators get eight times as many."""

TOKENS_AT_ONCE = 16 * 1024
"""The same in tokens of text."""

MESSAGES = (
    "out of memory",  # CUDA, HIP, MPS
    "can't allocate memory",  # torch's allocator for CPUs
    "not enough memory",  # the same on Windows
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "could not create a primitive",  # oneDNN on CPUs, for want of room for code or workspace
    "could not execute a primitive",
    "could not create a memory",
)
"""What a `RuntimeError` says, in lower case, when memory ran out."""


def rows_at_once(shape: Sequence[int], device: torch.device) -> int:
    """Return how many inputs, (C, H, W) or (T,), make up `PIXELS_AT_ONCE` or `TOKENS_AT_ONCE`.

    They are at least 8.

    >>> rows_at_once((3, 224, 224), torch.device("cpu"))
    32
    """
    scale = 1 if device.type == "cpu" else 8
    if len(shape) == 1:
        return max(scale * TOKENS_AT_ONCE // shape[0], 8)
    return max(scale * PIXELS_AT_ONCE // math.prod(shape[1:]), 8)


class FittingRows:
    """How many rows the classifier sees at once; halved, per shape of input, as memory runs out.

    Args:
        limit: `attribution_cfg.internal_batch_size`, or None for what is usual.
        needed: Rows that are ever there, or None where that is unknown.
    """

    def __init__(self, limit: int | None, device: torch.device, needed: int | None = None) -> None:
        self._limit = limit
        self._device = device
        self._needed = needed
        self._rows: dict[Shape, int] = {}
        self._largest: dict[Shape, int] = {}

    def saw(self, inputs: Tensor) -> None:
        """Take note of a pass (B, C, H, W) that is tried: what never came need not be halved."""
        shape = tuple(inputs.shape[1:])
        self._largest[shape] = max(len(inputs), self._largest.get(shape, 0))

    def halved(self, shape: Shape) -> int | None:
        """Return how many rows are left after halving; None where memory never ran out."""
        return self._rows.get(shape)

    def rows(self, shape: Shape) -> int:
        """Return how many rows with inputs of a shape (C, H, W) to compute at once."""
        usual = self._limit or rows_at_once(shape, self._device)
        return self._rows.get(shape, usual if self._needed is None else min(usual, self._needed))

    def halve(self, shape: Shape) -> str | None:
        """Take less from now on; return what happens, or None where nothing is left to halve."""
        rows, largest = self.rows(shape), self._largest.pop(shape, 0)
        if largest > 1:
            rows = min(rows, largest)
        if rows <= 1:
            return None
        half = self._rows[shape] = (rows + 1) // 2
        return (
            f"Out of memory with a single sample of {size_of(shape)}, from here on the classifier "
            f"sees {half} of its rows at once."
        )


def size_of(shape: Shape) -> str:
    """Return a shape as it is read: 3×224×224."""
    return "×".join(map(str, shape))


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error, or what caused it, means that memory ran out.

    >>> out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"))
    True
    >>> out_of_memory(RuntimeError("shapes do not match"))
    False
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, RuntimeError) and any(m in str(error).lower() for m in MESSAGES):
        return True
    return error.__cause__ is not None and out_of_memory(error.__cause__)


def free_memory() -> None:
    """Give back what a failed attempt left: cycles of objects, and the allocators' caches."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def fitting_samples(shape: Shape, draws: int, device: torch.device, most: int) -> int:
    """Return how many samples of a shape (C, H, W) keep a device busy without filling its memory.

    One sample sends `draws` rows through the classifier at once; there are `most` of them.

    >>> fitting_samples((3, 224, 224), 10, torch.device("cpu"), 1000)
    3
    """
    return max(1, min(rows_at_once(shape, device) // draws, most))


class FittingSizes:
    """How much is computed at once; halved, per shape of input, whenever memory runs out.

    Args:
        samples: Samples at once, to begin with.
        rows: As of `FittingRows`: how many rows of one sample the classifier sees at once.
    """

    def __init__(self, samples: int, rows: FittingRows) -> None:
        self._most, self._rows = samples, rows
        self._samples: dict[Shape, int] = {}

    def samples(self, shape: Shape) -> int:
        """Return how many samples with inputs of a shape to explain at once."""
        return self._samples.get(shape, self._most)

    def rows(self, shape: Shape) -> int | None:
        """Return how many rows the classifier may see at once; None for the usual number."""
        return self._rows.halved(shape)

    def halve(self, shape: Shape, samples: int) -> str | None:
        """Take less than `samples` from now on, and of a single one fewer rows at once.

        Returns what happens now, or None when there is nothing left to halve.
        """
        if samples > 1:
            half = self._samples[shape] = (samples + 1) // 2
            return (
                f"Out of memory with {samples} samples of {size_of(shape)} at once, from here on "
                f"{half}. --samples-per-batch {half} would save the attempt."
            )
        said = self._rows.halve(shape)
        rows = self._rows.halved(shape)
        return said and f"{said} --internal-batch-size {rows} would save the attempt."
