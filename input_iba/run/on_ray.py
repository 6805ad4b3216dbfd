"""Ray as the engine of a run: where it computes, and work that its actors do piece by piece."""

from __future__ import annotations

import logging
import os
import socket
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from input_iba.errors import ConfigError, InputIBAError, ProcessError, import_extra
from input_iba.run.options import LaunchOptions, RayOptions

T = TypeVar("T")

ATTEMPTS = 3
"""How often a piece of work is begun that its actor dies of."""

MOST_TASKS = 10_000
"""Tasks of a run at most: of more pieces a task does several, which come together."""

ON_ITS_OWN = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # where it is off, Ray binds to the loopback alone
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # its own end is no error of ours
}
"""Environment of a Ray on this machine, which Ray reads when it is imported."""


@contextmanager
def session(options: LaunchOptions) -> Iterator[None]:
    """Be connected to Ray while the block runs, where that is the launcher.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: The cluster does not answer.
    """
    if options.launcher != "ray":
        yield
        return
    address = options.address or os.environ.get("RAY_ADDRESS")
    if not address:
        os.environ.update({name: os.environ.get(name, ON_ITS_OWN[name]) for name in ON_ITS_OWN})
    ray = import_extra("ray", "ray", "ray")
    if ray.is_initialized():  # whoever began ends it
        yield
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:
            _check_reachable(address)
            ray.init(address, **quiet)
        else:  # more processes than cores are allowed: the user says how many
            cores = max(options.num_workers or 0, os.cpu_count() or 1)
            ray.init("local", num_cpus=cores, include_dashboard=False, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        where = address or "a Ray on this machine"
        raise ConfigError(f"--launcher ray: no connection to {where} ({error}).") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise an `OSError` where nothing listens at HOST:PORT: Ray itself tries for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), timeout=10).close()


@dataclass(frozen=True)
class Share:
    """What each of the actors gets of a cluster."""

    actors: int
    gpus: float

    @classmethod
    def of(cls, options: RayOptions) -> Share:
        """Return what options say, or else what the connected cluster has room for."""
        import ray

        there = ray.cluster_resources()
        gpus = options.gpus_per_worker
        if gpus is None:
            gpus = 1.0 if there.get("GPU", 0) else 0.0
        room = there.get("GPU", 0) / gpus if gpus else there.get("CPU", 1)
        return cls(options.num_workers or max(1, int(room)), gpus)


@dataclass(frozen=True)
class Error:
    """An error of an actor, in words: not every exception can be sent."""

    host: str
    text: str
    details: str
    usage: bool

    @classmethod
    def of(cls, error: Exception) -> Error:
        """Return what is to be known of an exception that is being handled."""
        ours = isinstance(error, InputIBAError)
        text = str(error) if ours else f"{type(error).__name__}: {error}"
        usage = isinstance(error, InputIBAError) and error.usage
        return cls(socket.gethostname(), text, traceback.format_exc(), usage)


@dataclass(frozen=True)
class Done(Generic[T]):
    """What came of a piece of work; None where it was given up."""

    index: int
    value: T | None = None
    error: Error | None = None


Make = Callable[[], Callable[[int], T]]
"""Builds, once in every actor, what does a piece of work by its number."""


def spread(
    make: Make[T], count: int, options: RayOptions, attempts: int = ATTEMPTS
) -> Iterator[Done[T]]:
    """Yield what comes of pieces of work 0 to `count` - 1, in the order in which they are done.

    Ray starts actors where there is room, gives work to those that are free, and starts those again
    that die, with what they were doing.

    Args:
        make: Can be sent; see `Make`.
        count: Pieces of work.
        options: How many actors there are.
        attempts: Actors that a piece of work may end, until it is given up.

    Raises:
        ProcessError: An actor could not build or raised something; it says where, and what.
    """
    import ray
    from ray.data import ActorPoolStrategy, from_items

    share = Share.of(options)
    counter = ray.remote(num_cpus=0)(_Attempts).remote()
    work = (make, counter, attempts, str(Path.cwd()))
    with _quiet():
        tasks = from_items(list(range(count)), override_num_blocks=min(count, MOST_TASKS))
        done = tasks.map(
            _Actor,
            fn_constructor_args=work,
            compute=ActorPoolStrategy(size=min(share.actors, count)),
            num_cpus=1,
            num_gpus=share.gpus or None,
        )
        for row in done.iter_rows():
            found: Done[T] = row["done"]
            if found.error is not None:
                from input_iba.run.shell import (
                    to_file_only,  # with torch, which actors may not need
                )

                to_file_only(f"On {found.error.host}: {found.error.details}")
                message = f"A process of Ray on {found.error.host}: {found.error.text}"
                raise ProcessError(message, said=False, usage=found.error.usage)
            yield found


class _Attempts:
    """An actor that counts how often each piece of work was begun and not ended."""

    def __init__(self) -> None:
        self._begun = Counter[int]()

    def begin(self, index: int) -> int:
        self._begun[index] += 1
        return self._begun[index]

    def end(self, index: int) -> None:
        del self._begun[index]


class _Actor:
    """Does pieces of work. It builds with the first one, so that what goes wrong is a result."""

    def __init__(self, make: Make[Any], counter: Any, attempts: int, folder: str) -> None:
        self._make, self._counter, self._attempts, self._folder = make, counter, attempts, folder
        self._do: Callable[[int], Any] | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        import ray

        index = int(row["item"])
        try:
            if ray.get(self._counter.begin.remote(index)) > self._attempts:
                return {"done": Done[Any](index)}
            if self._do is None:
                os.chdir(self._folder)  # paths of a config start where the command does
                self._do = self._make()
            done = Done(index, self._do(index))
            self._counter.end.remote(index)
            return {"done": done}
        # Whatever it is, the run that waits for this says it.
        except Exception as error:
            return {"done": Done[Any](index, error=Error.of(error))}


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Ray Data show no bars and tell no plans: a run has a bar of its own."""
    from ray.data import DataContext

    context, logger = DataContext.get_current(), logging.getLogger("ray.data")
    bars, level = context.enable_progress_bars, logger.level
    context.enable_progress_bars = False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.enable_progress_bars = bars
        logger.setLevel(level)
