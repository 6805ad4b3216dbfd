"""A text with its masks, of which the page's script makes coloured words when they come into view.

A thousand reviews with an element per word would be a page that no browser likes.
"""

from __future__ import annotations

from input_iba.visualization.grid import html_text
from input_iba.visualization.rows import Row

NO_BREAK = "\u00a0"


def review(row: Row, name: str) -> str:
    """Return a text as the script expects it: words with single spaces between, values beside.

    Args:
        row: With T words and masks of T values.
        name: The class that was explained.
    """
    text = " ".join(html_text(word).replace(" ", NO_BREAK) for word in row.words)
    values = " ".join(
        f'data-{kind.replace("_", "-")}="{" ".join(f"{value:.4g}" for value in mask)}"'
        for kind, mask in row.word_masks.items()
    )
    about = html_text(f"Review {row.id}, {name}. Arrow keys go from word to word.")
    return (
        f'<p class="text" tabindex="0" role="group" aria-label="{about}" {values}>{text}</p>'
        '<p class="told" role="status"></p>'
    )
