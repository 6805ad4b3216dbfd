"""A log as a mapping that holds where lines are, and reads one when it is asked for."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import Generic

from input_iba.results.sample_log import SampleLog, T


class OpenedLog(Mapping[str, T], Generic[T]):
    """What is known of each sample, by its id; nobody may write to the log meanwhile.

    A sample of which no line fits is among the ids and has no value.
    """

    def __init__(self, log: SampleLog[T]) -> None:
        self._log = log
        self._lines = log.lines().__enter__()
        weakref.finalize(self, self._lines.__exit__)

    def __getitem__(self, id_: str) -> T:
        if id_ in self._lines:
            for one in self._log.each(self._lines, [id_]):
                return one
        raise KeyError(id_)

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines.ids)

    def __len__(self) -> int:
        return len(self._lines.ids)
