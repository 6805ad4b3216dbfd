"""Questions that wait for one worker, and answers until they are forgotten."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Full, Queue

from input_iba.errors import InputIBAError

LOGGER = logging.getLogger(__name__)

Told = Callable[[str, int, int], None]
"""Is told of progress: what is done, steps done, steps in all."""


@dataclass(frozen=True)
class Answer:
    """What is shown, and what can be saved: files by their names."""

    html: str
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class Job:
    """A question on its way; `state` is 'waiting', 'running', 'done' or 'failed'."""

    work: Callable[[Told], Answer] | None
    number: int
    begun: float = field(default_factory=time.monotonic)
    state: str = "waiting"
    stage: str = ""
    done: int = 0
    of: int = 0
    message: str = ""
    answer: Answer | None = None

    def tell(self, stage: str, done: int, of: int) -> None:
        """Note how far it is."""
        self.stage, self.done, self.of = stage, done, of


class Jobs:
    """One worker, to which everybody's questions go in turn.

    Args:
        waiting: Most questions that wait.
        seconds: How long an answer is kept once it is there.
    """

    def __init__(self, waiting: int, seconds: float) -> None:
        self.seconds = seconds
        self._queue: Queue[Job] = Queue(waiting)
        self._jobs: dict[str, Job] = {}
        self._count = self._served = 0
        threading.Thread(target=self._serve, name="explains", daemon=True).start()

    def add(self, work: Callable[[Told], Answer]) -> str | None:
        """Queue a question; return by which key to ask for it, None where too many wait."""
        self._forget()
        job = Job(work, self._count + 1)
        try:
            self._queue.put_nowait(job)
        except Full:
            return None
        self._count += 1
        key = secrets.token_urlsafe(16)
        self._jobs[key] = job
        return key

    def get(self, key: str) -> Job | None:
        """Return a question that is not forgotten."""
        self._forget()
        return self._jobs.get(key)

    def ahead(self, job: Job) -> int:
        """Return how many are answered before a question that waits."""
        return max(job.number - self._served - 1, 0)

    def _forget(self) -> None:
        now = time.monotonic()
        for key, job in list(self._jobs.items()):
            if job.work is None and now - job.begun > self.seconds:
                del self._jobs[key]

    def _serve(self) -> None:
        while True:
            job = self._queue.get()
            self._run(job)
            self._served += 1

    @staticmethod
    def _run(job: Job) -> None:
        work, job.state = job.work, "running"
        assert work is not None  # it is taken off here alone
        try:
            job.answer, state = work(job.tell), "done"
        except InputIBAError as error:
            job.message, state = str(error), "failed"
        except Exception as error:
            LOGGER.exception("A question could not be answered.")
            job.message, state = f"Something went wrong: {type(error).__name__}: {error}", "failed"
        # With it goes what was uploaded.
        job.work, job.begun, job.state = None, time.monotonic(), state
