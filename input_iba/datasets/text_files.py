"""Text as it stands in a file, and with what no reader sees taken out."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from input_iba.errors import DataError

LOGGER = logging.getLogger(__name__)

MAX_REPLACED = 0.1
"""Share of characters that may not be UTF-8 before a file does not count as text."""

_BREAK = re.compile(r"<br />|\r\n?", re.IGNORECASE)


def read_text(path: Path) -> str:
    """Read a text file; what is not UTF-8 is replaced, with a warning.

    Raises:
        DataError: The file cannot be read, or is not text in UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"Text '{path}' cannot be read: {error}.") from error
    if b"\0" in content:
        raise DataError(f"Text '{path}' is no text in UTF-8: it has NULs. Convert it to UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = content.decode("utf-8-sig", "replace")
        if text.count("\ufffd") > MAX_REPLACED * len(text):
            raise DataError(
                f"Text '{path}' is no text in UTF-8: {error}. Convert it to UTF-8."
            ) from error
        LOGGER.warning(
            "Text '%s' is not all UTF-8 (%s); unreadable characters are replaced.", path, error
        )
    return text


def cleaned(text: str) -> str:
    r"""Return a text as people read it: `<br />` and all ends of lines as `\n`.

    Halves of characters, which JSON and a command line can hold, become `?`.

    >>> cleaned("dull.<br /><br />Flat.\r\n")
    'dull.\n\nFlat.\n'
    """
    return _BREAK.sub("\n", text).encode("utf-8", "replace").decode("utf-8")


def names_and_sizes(root: Path, files: Iterable[Path]) -> list[list[str | int]]:
    """Return the name below `root`, and the size in bytes, of every file."""
    return [[path.relative_to(root).as_posix(), path.stat().st_size] for path in files]


def read_part(
    text: str, spans: Sequence[tuple[int, int]], before: bool, behind: bool
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the part of a text that is read, with an ellipsis where it is cut.

    Args:
        text: All of it.
        spans: First and last character (exclusive) of every word that is read.
        before: Whether words before them are left out.
        behind: Whether words behind them are.

    Returns:
        The part, and where the words stand in it.

    >>> read_part("A long, fine film.", [(8, 12), (13, 17)], True, True)
    ('… fine film …', ((2, 6), (7, 11)))
    """
    start, end = spans[0][0] if before else 0, spans[-1][1] if behind else len(text)
    part = ("… " if before else "") + text[start:end] + (" …" if behind else "")
    moved = start - 2 if before else 0
    return part, tuple((first - moved, last - moved) for first, last in spans)
