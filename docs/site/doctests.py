"""What griffe asks while it reads docstrings: examples become blocks of code."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

EXAMPLE = re.compile(r"^(>>> .*(?:\n.+)*)$", re.MULTILINE)


class FencedDoctests(Extension):
    """Fences doctests, which Markdown would take for quotations of quotations."""

    def on_object(self, *, obj: Object, **_others: Any) -> None:
        """Change the docstring of an object."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(r"```pycon\n\1\n```", obj.docstring.value)
