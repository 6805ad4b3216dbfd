"""Numbers of a run for TensorBoard, where that is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def scalar_board(folder: Path, done: int) -> Iterator[Callable[[Mapping[str, Any], int], None]]:
    """Lend a function that shows the numbers of an epoch.

    Args:
        folder: Of the event files; made only where TensorBoard is installed.
        done: Epochs that are over; what a stopped run wrote after them is not shown.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        yield lambda metrics, epoch: None
        return
    with SummaryWriter(str(folder), purge_step=done + 1) as writer:

        def add(metrics: Mapping[str, Any], epoch: int) -> None:
            for name, value in metrics.items():
                if name != "epoch":
                    writer.add_scalar(name, value, epoch)

        yield add
