"""A text with its masks, of which the page's script makes coloured words when they come into view.

A thousand reviews with an element per word would be a page that no browser likes.
"""

from __future__ import annotations

from html import escape

from input_iba.drawing.rows import Row
from input_iba.drawing.tables import html_text
from input_iba.drawing.words import as_it_stands


def review(row: Row, name: str) -> str:
    """Return a text as the script expects it: as it stands, with places and values beside.

    Args:
        row: With T words and masks of T values.
        name: The class that was explained.
    """
    parts = [as_it_stands(part) for part in row.text.parts]
    places = " ".join(str(_length(part)) for part in parts)
    values = " ".join(
        f'data-{kind.replace("_", "-")}="{" ".join(f"{value:.4g}" for value in mask)}"'
        for kind, mask in row.word_masks.items()
    )
    about = html_text(f"Review {row.id}, {name}. Arrow keys go from word to word.")
    return (
        f'<p class="text" tabindex="0" role="group" aria-label="{about}" data-places="{places}" '
        f'{values}>{escape("".join(parts))}</p><p class="told" role="status"></p>'
    )


def _length(part: str) -> int:
    """Return the length of a text as JavaScript counts it."""
    return len(part.encode("utf-16-le")) // 2
