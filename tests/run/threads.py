"""Processes of a run, played by threads: quick, and free to fail."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from torch import distributed

from input_iba.run.launch import Processes

T = TypeVar("T")


class _Exchange:
    """Gathers one value per thread, each as another process would receive it."""

    def __init__(self, world_size: int) -> None:
        self.values: list[Any] = [None] * world_size
        self.barrier = threading.Barrier(world_size)

    def all_gather(self, rank: int, value: Any) -> list[Any]:
        self.values[rank] = pickle.dumps(value)
        self.barrier.wait(timeout=30)
        found = [pickle.loads(value) for value in self.values]
        self.barrier.wait(timeout=30)
        return found


def play(world_size: int, part: Callable[[Processes], T]) -> list[T | Exception]:
    """Run `part` once per process of a run; return in rank order what came out of each."""
    exchange, store = _Exchange(world_size), distributed.HashStore()  # type: ignore[attr-defined]

    def run(rank: int) -> T | Exception:
        gather = partial(exchange.all_gather, rank)
        try:
            return part(Processes(rank, world_size, rank, gather, store))
        except Exception as error:
            return error

    with ThreadPoolExecutor(world_size) as pool:
        return list(pool.map(run, range(world_size)))
