"""Reading and writing beside the computation, so that an accelerator waits for neither."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")

Do = Callable[[Callable[[], object]], object]
"""Does something, now or soon."""


def overlaps(device: torch.device) -> bool:
    """Return whether cores are idle while a device computes: a CPU computes on all of them."""
    return device.type != "cpu"


def ahead(items: Iterator[T], overlap: bool = True) -> Iterator[T]:
    """Yield items, and with `overlap` fetch the next one meanwhile, in a thread."""
    if not overlap:
        yield from items
        return
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(_next, items)
        while (item := coming.result()) is not None:
            coming = thread.submit(_next, items)
            yield item[0]


def _next(items: Iterator[T]) -> tuple[T] | None:
    for item in items:
        return (item,)
    return None


@contextmanager
def beside(most: int, overlap: bool = True) -> Iterator[Do]:
    """Lend a function that has something done; with `overlap` in a thread, beside the caller.

    One is done after the other, and all are done when the block ends, however it does. What one of
    them raises, a later call raises, or the end of the block.

    Args:
        most: How many may wait, which bounds memory; who asks for more waits until one is done.
        overlap: Whether there is a thread; else all is done at once.
    """
    if not overlap:
        yield lambda work: work()
        return
    waiting: deque[Future[object]] = deque()
    with ThreadPoolExecutor(1) as thread:

        def do(work: Callable[[], object]) -> None:
            while waiting and (waiting[0].done() or len(waiting) >= most):
                waiting.popleft().result()
            waiting.append(thread.submit(work))

        try:
            yield do
        finally:
            while waiting:
                waiting.popleft().result()
