"""Meters: rows that go through a classifier, and seconds and most memory of a piece of work."""

from __future__ import annotations

import ctypes
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

MIB = 2**20


@dataclass
class Passes:
    """Rows through a classifier's first and last module, forward and backward.

    A pass up to a layer shows in `forward_first` only; a pass whose gradient goes no further than
    a layer in the middle shows in `backward_last` only.
    """

    forward_first: int = 0
    forward_last: int = 0
    backward_first: int = 0
    backward_last: int = 0


@contextmanager
def counted(model: nn.Module, example: Tensor) -> Iterator[Passes]:
    """Count what the model does inside the context.

    Args:
        model: Any classifier that calls its modules one after the other.
        example: One input (1, C, H, W), to find out which module is first and which last.
    """
    first, last = ends(model, example)
    passes = Passes()

    def count(end: str) -> Any:
        def forward(module: nn.Module, arguments: object, output: Tensor) -> None:
            if output.numel() > 1 and not any(output.stride()):
                return  # hollow: one number in place of all, nothing was computed
            add(f"forward_{end}", len(output))
            if output.requires_grad:
                note = partial(add, f"backward_{end}")
                output.register_hook(lambda slope: note(len(slope)))  # type: ignore[no-untyped-call]

        return forward

    def add(name: str, rows: int) -> None:
        setattr(passes, name, getattr(passes, name) + rows)

    handles = [
        first.register_forward_hook(count("first")),
        last.register_forward_hook(count("last")),
    ]
    try:
        yield passes
    finally:
        for handle in handles:
            handle.remove()


def ends(model: nn.Module, example: Tensor) -> tuple[nn.Module, nn.Module]:
    """Return the leaf modules that a forward pass calls first and last."""
    called: list[nn.Module] = []
    leaves = [module for module in model.modules() if not list(module.children())]
    handles = [
        leaf.register_forward_pre_hook(lambda module, _: called.append(module)) for leaf in leaves
    ]
    try:
        with torch.no_grad():
            model(example)
    finally:
        for handle in handles:
            handle.remove()
    return called[0], called[-1]


def seconds_per_call(call: Callable[[], None], timed: int, device: torch.device) -> float:
    """Return mean seconds of `timed` calls after one that does not count."""
    call()
    synchronise(device)
    start = time.perf_counter()
    for _ in range(timed):
        call()
    synchronise(device)
    return (time.perf_counter() - start) / timed


def synchronise(device: torch.device) -> None:
    """Wait until an accelerator has finished what was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class PeakMemory:
    """The most memory held since `start`: of the GPU, else of the process (resident, Linux)."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def start(self) -> None:
        """Give freed memory back and forget earlier peaks, where the system allows it."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            return
        with suppress(AttributeError, OSError):  # glibc's own
            ctypes.CDLL(None).malloc_trim(0)
        reset = Path("/proc/self/clear_refs")
        if reset.exists():
            reset.write_text("5")

    def mebibytes(self) -> float:
        """Return the peak in MiB; of the whole process's life where it cannot be forgotten."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / MIB
        if self.device.type == "mps":  # which knows no peak, and keeps what it had
            return torch.mps.driver_allocated_memory() / MIB
        status = Path("/proc/self/status")
        if status.exists():
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
