"""From a text's file to the words that are read of it, as torchtext's `basic_english` cuts them."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from input_iba.errors import DataError

LOGGER = logging.getLogger(__name__)

TOKENIZER = "basic_english"
MAX_REPLACED = 0.1
"""Share of characters that may not be UTF-8 before a file does not count as text."""

Spans: TypeAlias = tuple[tuple[int, int], ...]
"""First and last character (exclusive) of every word in a text."""

_LINE_BREAK = re.compile(r"<br />|\r\n?", re.IGNORECASE)
_TOKEN = re.compile(r"['.,()!?]|[^\s'.,()!?;:]+")
_BREAK = "<br />"


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
        raise DataError(f"Text '{path}' is not text in UTF-8: it has NULs. Convert it to UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = content.decode("utf-8-sig", "replace")
        if text.count("\ufffd") > MAX_REPLACED * len(text):
            raise DataError(
                f"Text '{path}' is not text in UTF-8: {error}. Convert it to UTF-8."
            ) from error
        LOGGER.warning(
            "Text '%s' is not all UTF-8 (%s); unreadable characters are replaced.", path, error
        )
        return text


def cleaned(text: str) -> str:
    r"""Return a text as people read it: `<br />` and all ends of lines as `\n`.

    Halves of characters, which JSON and a command line can hold, become `?`, and NULs, which arrays
    of words lose at their ends, the sign for what cannot be read.

    >>> cleaned("dull.<br /><br />Flat.\r\n")
    'dull.\n\nFlat.\n'
    """
    text = _LINE_BREAK.sub("\n", text).replace("\0", "\ufffd")
    return text.encode("utf-8", "replace").decode("utf-8")


def basic_english(text: str) -> list[str]:
    """Cut a text into lower-case words and punctuation marks.

    Apostrophes, full stops, commas, parentheses, exclamation and question marks are tokens of
    their own; semicolons, colons and the line break `<br />` separate tokens; double quotes
    disappear, and join what stands around them.

    References:
        torchtext 0.15, `torchtext.data.utils.get_tokenizer("basic_english")`.

    >>> basic_english("It's a *great* film: 10/10!<br /><br />Don't miss it.")
    ['it', "'", 's', 'a', '*great*', 'film', '10/10', '!', 'don', "'", 't', 'miss', 'it', '.']
    """
    return located(text)[0]


def located(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Cut a text as `basic_english` does; return the tokens, and where each of them stands.

    >>> located('A "good"ly film')
    (['a', 'goodly', 'film'], [(0, 1), (3, 10), (11, 15)])
    """
    # Some letters are two in lower case; and a quote belongs to the token that it stands within.
    origins = [i for i, letter in enumerate(text) for _ in letter.lower()]
    kept = [(letter, i) for letter, i in zip(text.lower(), origins, strict=True) if letter != '"']
    # The line break is replaced while its own characters still stand side by side, but after the
    # quotes are gone.
    bare = "".join(letter for letter, _ in kept).replace(_BREAK, " " * len(_BREAK))
    found = list(_TOKEN.finditer(bare))
    spans = [(kept[match.start()][1], kept[match.end() - 1][1] + 1) for match in found]
    return [match[0] for match in found], spans


def words_read(
    text: str, max_length: int | None, first: bool = False
) -> tuple[list[str], Spans, str, Spans]:
    """Return the words that are read of a cleaned text, where, the part read, and where in it.

    Of more than `max_length` the `first` stay, or else the last.
    """
    tokens, spans = located(text)
    if max_length is None or len(tokens) <= max_length:
        return tokens, tuple(spans), text, tuple(spans)
    chosen = slice(max_length) if first else slice(-max_length, None)
    part = read_part(text, spans[chosen], not first, first)
    return tokens[chosen], tuple(spans[chosen]), *part


def overlapping(spans: Sequence[tuple[int, int]], parts: Sequence[tuple[int, int]]) -> list[bool]:
    """Return which words, of ascending `spans`, share a character with any of the parts of a text.

    >>> overlapping([(0, 3), (3, 4), (5, 8)], [(2, 3), (4, 6)])
    [True, False, True]
    """
    return [any(start < last and first < end for first, last in parts) for start, end in spans]


def read_part(
    text: str, spans: Sequence[tuple[int, int]], before: bool, behind: bool
) -> tuple[str, Spans]:
    """Return the part of a text that is read, and where the words of `spans` stand in it.

    An ellipsis stands for words `before` or `behind` these.

    >>> read_part("A long, fine film.", [(8, 12), (13, 17)], True, True)
    ('… fine film …', ((2, 6), (7, 11)))
    """
    start, end = spans[0][0] if before else 0, spans[-1][1] if behind else len(text)
    part = ("… " if before else "") + text[start:end] + (" …" if behind else "")
    moved = start - 2 if before else 0
    return part, tuple((first - moved, last - moved) for first, last in spans)
