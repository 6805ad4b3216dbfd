"""Where the processes of a run say how far they are, and wait for each other at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from input_iba.errors import ProcessError
from input_iba.run.launch import PATIENCE, Processes, lost_process
from input_iba.run.shell import LOGGER

BEAT = 1.0
"""Seconds between two signs of life."""

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
            # Where the store is gone, whoever kept it is gone as well.
            with suppress(RuntimeError):
                self._post("end", FAILED if issubclass(kind, Exception) else INTERRUPTED)

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
            raise lost_process(self._processes.rank, f"one has ended ({error})") from error

    def _all_ended(self, begun: float) -> bool:
        """Return whether all shares are done; nobody is given up for silence before `begun`."""
        self._listen()
        ended = {rank: self._read("end", rank) for rank in self._others}
        for rank, how in ended.items():
            if how == FAILED:
                raise ProcessError(f"Process {rank} failed and said why.", said=True)
            if how == INTERRUPTED:
                raise lost_process(self._processes.rank, f"process {rank} was interrupted")
            silence = time.monotonic() - max(self._heard[rank], begun)
            if not how and silence > self._patience:
                what = f"process {rank} gave no sign of life for {silence:.0f} s"
                raise lost_process(self._processes.rank, what)
        return all(ended.values())

    def _listen(self) -> None:
        for rank, before in self._others.items():
            said = self._read("position", rank)
            if said != before:
                self._others[rank] = said
                self._heard[rank] = time.monotonic()

    def _post(self, what: str, text: str) -> None:
        if self._store is not None:
            self._store.set(f"{what}/{self._processes.rank}", text)

    def _read(self, what: str, rank: int) -> str:
        """Return what another process posted last, empty where it posted nothing yet."""
        key = f"{what}/{rank}"
        if self._store is None or not self._store.check([key]):
            return ""
        return self._store.get(key).decode()
