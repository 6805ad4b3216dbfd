"""From text to tokens, as torchtext's tokenizer `basic_english` cuts it."""

from __future__ import annotations

import re

TOKENIZER = "basic_english"

_TOKEN = re.compile(r"['.,()!?]|[^\s'.,()!?;:]+")
_BREAK = "<br />"


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
    """Cut a text as `basic_english` does, and say where each token stands.

    Returns:
        The tokens, and first and last character (exclusive) of each.

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
