"""From text to tokens, as torchtext's tokenizer `basic_english` cuts it."""

from __future__ import annotations

TOKENIZER = "basic_english"

_SPACED = str.maketrans(
    {
        **{mark: f" {mark} " for mark in "'.,()!?"},
        **dict.fromkeys(";:", " "),
    }
)


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
    # The line break is replaced while its own characters still stand side by side, but after the
    # quotes are gone.
    bare = text.lower().replace('"', "").replace("<br />", " ")
    return bare.translate(_SPACED).split()
