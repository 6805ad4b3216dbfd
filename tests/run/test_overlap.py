"""What is read and written beside the computation: in order, bounded, and errors are heard of."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from input_iba.run.overlap import ahead, beside, overlaps


def test_a_processor_has_no_cores_to_spare() -> None:
    assert not overlaps(torch.device("cpu"))
    assert overlaps(torch.device("cuda"))
    assert overlaps(torch.device("mps"))


@pytest.mark.parametrize("overlap", [False, True])
def test_items_come_in_order_one_fetched_ahead(overlap: bool) -> None:
    fetched = list[int]()

    def items() -> Iterator[int]:
        for i in range(4):
            fetched.append(i)
            yield i

    found = ahead(items(), overlap)
    assert next(found) == 0
    deadline = time.monotonic() + 10
    while overlap and len(fetched) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert fetched == ([0, 1] if overlap else [0])
    assert list(found) == [1, 2, 3]


@pytest.mark.parametrize("overlap", [False, True])
def test_what_fetching_raises_comes_where_the_item_would(overlap: bool) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    found = ahead(items(), overlap)
    assert next(found) == 1
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_work_is_done_beside_in_order_and_no_more_waits_than_may() -> None:
    done, go = list[int](), threading.Event()

    def work(i: int) -> None:
        assert threading.current_thread() is not threading.main_thread()
        go.wait(10)
        done.append(i)

    with beside(2) as do:
        do(lambda: work(0))
        do(lambda: work(1))
        assert done == []  # the caller has gone on
        threading.Timer(0.05, go.set).start()
        do(lambda: work(2))  # waits for the first
        assert done[:1] == [0]
    assert done == [0, 1, 2]


def test_without_overlap_it_is_done_at_once_here() -> None:
    with beside(2, overlap=False) as do, pytest.raises(ZeroDivisionError):
        do(lambda: 1 / 0)


def test_what_it_raises_is_raised_later_and_the_rest_is_done_when_the_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), beside(1) as do:
        do(lambda: 1 / 0)
        do(lambda: None)
        do(lambda: None)
    done = list[int]()
    with pytest.raises(KeyboardInterrupt), beside(3) as do:
        do(lambda: done.append(1))
        do(lambda: done.append(2))
        raise KeyboardInterrupt
    assert done == [1, 2]
