"""The processes of a run: one, or those that torchrun or Slurm started."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from input_iba.errors import ConfigError, InputIBAError, ProcessError
from input_iba.run.launchers import (
    Launcher,
    connect,
    ignore_termination,
    place_by,
    refuse_forgotten_launcher,
)

if TYPE_CHECKING:  # torch takes seconds to import, and --help needs none of it
    from torch.distributed.distributed_c10d import Store

T = TypeVar("T")

ARRIVAL = 600.0
"""Seconds within which a process must have found the others."""

PATIENCE = 1800.0
"""Seconds without a sign of life after which another process counts as lost."""


@dataclass(frozen=True)
class Processes:
    """This process among those of the run; by default it is the only one.

    Every process calls `together`, `all_gather` and `from_main` in the same order.

    Attributes:
        local_rank: Number among those of this machine; None without a launcher.
        all_gather: Takes one value of every process and returns all of them in rank order.
        store: Small values that all processes read and write, or None for one process.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int | None = None
    all_gather: Callable[[Any], list[Any]] = lambda value: [value]
    store: Store | None = None

    @property
    def is_main(self) -> bool:
        """Whether this process speaks for the run."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """Return this process's share of a list that is the same everywhere.

        Every `world_size`-th item: shares differ by one item at most, whatever is left to do.

        >>> [Processes(rank, 2).share("abcde") for rank in range(2)]
        [['a', 'c', 'e'], ['b', 'd']]
        """
        return list(items[self.rank :: self.world_size])

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all processes go on after the block, or none; no `all_gather` inside it.

        Raises:
            ProcessError: The block failed in another process. Where it failed in several, for a
                wrong config say, the first of them raises its error and the others this one.
        """
        try:
            yield
        except ProcessError:
            raise  # The others know already.
        except Exception as error:
            self._compare(error)
            raise
        self._compare(None)

    def from_main(self, compute: Callable[[], T]) -> T:
        """Compute a value in the first process and return it everywhere.

        Raises:
            ProcessError: It could not be computed there.
        """
        with self.together():
            value = compute() if self.is_main else None
        found: T = self.all_gather(value)[0]
        return found

    def _compare(self, error: Exception | None) -> None:
        """Exchange with the other processes what went wrong, and raise it."""
        said = None if error is None else (isinstance(error, InputIBAError), str(error))
        failures = self.all_gather(said)
        failed = [rank for rank, failure in enumerate(failures) if failure is not None]
        if failed:
            self.depart()
        if failed and failed[0] != self.rank:
            usage, reason = failures[failed[0]]
            message = f"Process {failed[0]}: {reason}"
            raise ProcessError(message, said=True, usage=usage) from error

    def depart(self) -> None:
        """Wait until all are about to end, so that the first to end does not cut off the others.

        From here on the process ignores SIGTERM.
        """
        if self.world_size > 1:
            ignore_termination()
            with suppress(ProcessError):
                self.all_gather(None)


ALONE = Processes()
"""The only process of a run."""


@contextmanager
def launch(launcher: Launcher = "none") -> Iterator[Processes]:
    """Meet the other processes of the run; after the block the process is to end.

    The processes talk through gloo on the CPU, wherever they compute: they exchange statistics
    and short messages. (`mmengine.dist.init_dist` would choose a GPU even where there is none, so
    only mmengine's collectives are used.)

    Raises:
        ConfigError: The launcher named is not the one that started this process.
        ProcessError: Other processes did not come, or one of them was lost.
    """
    if launcher in ("none", "ray"):  # Ray's own processes are looked after by Ray
        refuse_forgotten_launcher(os.environ)
        yield ALONE
        return
    rank, world_size, local_rank = place_by(launcher, os.environ)

    from mmengine.dist import all_gather_object
    from torch import distributed

    def all_gather(value: Any) -> list[Any]:
        try:
            found: list[Any] = all_gather_object(value)
        except RuntimeError as error:
            raise lost_process(rank, f"one has ended or does not answer ({error})") from error
        return found

    patience = timedelta(seconds=PATIENCE)
    try:
        store = connect(launcher, rank, world_size, timedelta(seconds=ARRIVAL))
        distributed.init_process_group(
            "gloo", store=store, rank=rank, world_size=world_size, timeout=patience
        )
    except ConfigError as error:
        if rank == 0:
            raise
        raise ProcessError(str(error), said=True, usage=True) from error
    except RuntimeError as error:
        raise lost_process(rank, f"they could not meet ({error})") from error
    processes = Processes(rank, world_size, local_rank, all_gather, store)
    try:
        yield processes
        processes.depart()
    finally:
        distributed.destroy_process_group()


def lost_process(rank: int, what: str, lost: int | None = None) -> ProcessError:
    """Return the error for a process that is gone; of the others the first one says it.

    `rank` is that of this process, and `lost` of the one that is gone, where it is known.
    """
    return ProcessError(
        f"The processes of this run cannot go on together: {what}. What is done is kept: "
        "continue with --resume, with any number of processes.",
        said=rank > (lost == 0),
    )
