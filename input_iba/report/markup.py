"""Pieces of HTML that the sections of the report are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from input_iba.drawing.tables import html_text


def link_to(path: str) -> str:
    """Return a relative path as a URL in an attribute: names may hold `%`, `#` and `?`.

    >>> link_to("a b/50%#.png")
    './a%20b/50%25%23.png'
    """
    if path.startswith("file:"):
        return html_text(path)
    return html_text("./" + quote(path, errors="surrogatepass"))


def facts_list(facts: Mapping[str, str], kind: str = "facts") -> str:
    """Return labels and values as a list of definitions."""
    items = "".join(
        f"<div><dt>{html_text(label)}</dt><dd>{html_text(value)}</dd></div>"
        for label, value in facts.items()
    )
    return f'<dl class="{kind}">{items}</dl>'


def unfolding(summary: str, content: str, opened: bool = False) -> str:
    """Return content, which is HTML, behind a line of text that opens it."""
    return (
        f"<details{' open' if opened else ''}><summary>{html_text(summary)}</summary>"
        f"{content}</details>"
    )


def bullets(items: Iterable[str]) -> str:
    """Return pieces of HTML as a list."""
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def plural(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> plural(1, "sample"), plural(2000, "sample")
    ('1 sample', '2,000 samples')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
