"""Files that were right once: bytes changed, and plain data changed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


HUGE = (2**31 - 1, 2**32 - 1, 2**63 - 1, 10**30, -1, -(2**63))

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.sampled_from(HUGE),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["../../up", "/etc/passwd", "a\0b", "\u202eabc", "1e999", "x" * 5000]),
)
JUNK = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(st.text(max_size=5), SCALARS, max_size=3),
    st.builds(_nested, st.integers(2, 50)),
)
"""Values that stand where others should."""

PIECES = st.one_of(
    st.binary(max_size=24),
    st.sampled_from([b"\0" * 16, b"\xff" * 16, b"\x7f\xff\xff\xff", b"\n", b"[" * 40, b"{}"]),
)


@st.composite
def changed_bytes(draw: Draw, originals: Sequence[bytes]) -> bytes:
    """Draw a file among some, with one to four changes to its bytes."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 4))):
        # Most of what is decided stands at the beginning of a file, or at its end.
        near = draw(st.sampled_from(["head", "tail", "anywhere"]))
        reach = len(data) if near == "anywhere" else min(len(data), 64)
        place = draw(st.integers(0, reach))
        place = len(data) - place if near == "tail" else place
        size = draw(st.integers(1, 40))
        change = draw(st.sampled_from(["cut", "take", "put", "over", "flip", "again"]))
        if change == "cut":
            del data[place:]
        elif change == "take":
            del data[place : place + size]
        elif change == "put":
            data[place:place] = draw(PIECES)
        elif change == "over":
            piece = draw(PIECES)
            data[place : place + len(piece)] = piece
        elif change == "again":
            data[place:place] = data[place : place + size]
        elif place < len(data):
            data[place] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


@st.composite
def changed_data(draw: Draw, original: Any, most: int = 3) -> Any:
    """Draw plain data (dicts, lists, values) with one to `most` changes anywhere in it."""
    data = {"": copy.deepcopy(_lists(original))}
    for _ in range(draw(st.integers(1, most))):
        holder, key = draw(st.sampled_from(list(_places(data))))
        change = draw(st.sampled_from(["junk", "junk", "drop", "rename", "swap", "wrap"]))
        if change == "drop" and key != "":
            del holder[key]
        elif change == "rename" and isinstance(holder, dict) and key != "":
            holder[draw(st.text(max_size=6))] = holder.pop(key)
        elif change == "swap":
            other, there = draw(st.sampled_from(list(_places(data))))
            holder[key] = copy.deepcopy(other[there])
        elif change == "wrap":
            holder[key] = draw(st.sampled_from([[holder[key]], {"a": holder[key]}]))
        else:
            holder[key] = draw(JUNK)
    return data[""]


def _lists(data: Any) -> Any:
    """Return nested data with lists in place of tuples, which cannot be changed."""
    if isinstance(data, dict):
        return {key: _lists(value) for key, value in data.items()}
    return [_lists(value) for value in data] if isinstance(data, list | tuple) else data


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of nested data: what holds it, and its key or index there."""
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in list(keys):
        yield data, key
        yield from _places(data[key])
