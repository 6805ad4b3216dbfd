"""SIGTERM ends a run in order, until it ends anyway."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from input_iba.run.launchers import Terminated, ignore_termination, terminable


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    earlier = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, earlier)


def test_a_request_to_end_is_raised_within_and_the_handler_restored() -> None:
    earlier = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), terminable():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is earlier


def test_what_ends_anyway_ignores_the_request_from_then_on() -> None:
    with terminable():
        ignore_termination()
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
