"""How much is tried, and where it is kept what came of it.

`make test-faults` names a file for the evidence: then everything is tried in full.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

_GIVEN = os.environ.get("INPUT_IBA_EVIDENCE")
FILE = Path(_GIVEN).resolve() if _GIVEN else None  # tests go to other folders
"""File of JSON lines for what was tried; None for the short form of the tests."""

ONLY_IN_FULL = pytest.mark.skipif(FILE is None, reason="is tried in `make test-faults` only")

T = TypeVar("T")
Evidence = Callable[..., None]


def sized(short: T, full: T) -> T:
    """Return how much is tried: little in `make test`, all in `make test-faults`."""
    return short if FILE is None else full


@pytest.fixture
def evidence() -> Evidence:
    """Return a function that keeps what a test that passes has tried.

    It takes the section of `docs/reliability.md`, what was tried and how often, what came of it,
    and what had to be mended before it was so, if anything.
    """

    def keep(section: str, tried: str, count: int, outcome: str, mended: str = "") -> None:
        if FILE is None:
            return
        line = {"section": section, "tried": tried, "count": count}
        with FILE.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({**line, "outcome": outcome, "mended": mended}) + "\n")

    return keep
