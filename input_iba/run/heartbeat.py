"""Where the processes of a run say how far they are, and wait for each other at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar, cast

from input_iba.errors import ProcessError
from input_iba.run.launch import PATIENCE, Processes, lost_process
from input_iba.run.shell import LOGGER

T = TypeVar("T")

BEAT = 1.0
"""Seconds between two signs of life."""

LAST_WORDS = 10.0
"""Seconds for which a process that ends tries to tell the others."""

WELL, FAILED, INTERRUPTED = "well", "failed", "interrupted"
"""How a process's part can end."""


class Heartbeat:
    """A context manager around a part of the run in which processes work each for itself.

    Shares may differ by hours, so nobody waits in a collective operation, which knows neither
    interrupt key nor progress: each process posts how far it is, and one that posts nothing for
    long is given up. A block that ends with an error tells the others, so that none waits.

    Both times are in seconds: `patience` until a silent process counts as lost, and `beat` between
    two signs of life.
    """

    def __init__(
        self, processes: Processes, *, patience: float = PATIENCE, beat: float = BEAT
    ) -> None:
        self._processes = processes
        self._patience = patience
        self._beat = beat
        self._store = processes.store
        self._alone = processes.store is None or processes.world_size == 1
        self._position = 0.0
        self._told = float("-inf")
        self._beats = 0
        start = time.monotonic()
        self._others = {r: "" for r in range(processes.world_size) if r != processes.rank}
        self._heard = dict.fromkeys(self._others, start)

    def __enter__(self) -> Heartbeat:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and not issubclass(kind, ProcessError):
            how = FAILED if issubclass(kind, Exception) else INTERRUPTED
            # Where the store is gone, whoever kept it is gone as well.
            with suppress(RuntimeError):
                self._post("end", how, min(self._patience, LAST_WORDS))

    def share(self, position: float) -> float:
        """Post how many samples are done here; return how many are done in other processes."""
        self._position = position
        now = time.monotonic()
        if not self._alone and now - self._told >= self._beat:
            self._told = now
            self._beats += 1
            try:
                self._post("position", f"{self._beats} {position:.3f}")
                self._listen()
            except RuntimeError as error:
                # What is left of the share can be done alone; `wait` then says what happened.
                LOGGER.warning("The other processes cannot be reached any more: %s", error)
                self._alone = True
        return sum(float(said.split()[1]) for said in self._others.values() if said)

    def wait(self, refresh: Callable[[], None] = lambda: None) -> None:
        """Post that this process's share is done, and call `refresh` until all others have.

        Raises:
            ProcessError: Another process failed, or gave no sign of life for long.
        """
        if self._processes.world_size == 1:
            return
        begun = time.monotonic()
        try:
            if self._alone:
                raise RuntimeError("the connection was lost")
            self._post("position", f"end {self._position:.3f}")
            self._post("end", WELL)
            while not self._all_ended(begun):
                refresh()
                time.sleep(self._beat / 4)
            refresh()
        except RuntimeError as error:
            what = f"whoever keeps their connection has ended or does not answer ({error})"
            raise lost_process(self._processes.rank, what, lost=0) from error

    def _all_ended(self, begun: float) -> bool:
        """Return whether all shares are done; nobody is given up for silence before `begun`."""
        self._listen()
        ended = self._read("end")
        for rank, how in ended.items():
            if how == FAILED:
                raise ProcessError(f"Process {rank} failed and said why.", said=True)
            if how == INTERRUPTED:
                what = f"process {rank} was interrupted"
                raise lost_process(self._processes.rank, what)
            silence = time.monotonic() - max(self._heard[rank], begun)
            if not how and silence > self._patience:
                what = f"process {rank} gave no sign of life for {silence:.0f} s"
                raise lost_process(self._processes.rank, what, lost=rank)
        return all(ended.values())

    def _listen(self) -> None:
        for rank, said in self._read("position").items():
            if said != self._others[rank]:
                self._others[rank] = said
                self._heard[rank] = time.monotonic()

    def _post(self, what: str, text: str, patience: float | None = None) -> None:
        store, key = self._store, f"{what}/{self._processes.rank}"
        if store is not None:
            self._asked(lambda: store.set(key, text), patience)

    def _read(self, what: str) -> dict[int, str]:
        """Return what each other process posted last, empty where it posted nothing yet."""

        def read(rank: int) -> str:
            key = f"{what}/{rank}"
            if self._store is None or not self._store.check([key]):
                return ""
            return self._store.get(key).decode()

        return self._asked(lambda: {rank: read(rank) for rank in self._others})

    def _asked(self, ask: Callable[[], T], patience: float | None = None) -> T:
        """Ask the store, in a thread: where the process that keeps it hangs, it never answers."""
        answers = SimpleQueue[tuple[T | None, Exception | None]]()

        def answer() -> None:
            try:
                answers.put((ask(), None))
            except Exception as error:
                answers.put((None, error))

        seconds = self._patience if patience is None else patience
        threading.Thread(target=answer, daemon=True).start()
        try:
            found, error = answers.get(timeout=seconds)
        except Empty:
            raise RuntimeError(f"no answer for {seconds:.0f} s") from None
        if error is not None:
            raise error
        return cast(T, found)
