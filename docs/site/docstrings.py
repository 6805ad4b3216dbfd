"""What griffe asks while it reads docstrings: examples are code, and settings say what they are."""

from __future__ import annotations

import ast
import re
from typing import Any

from griffe import Attribute, Docstring, ExprCall, Extension, Object

EXAMPLE = re.compile(r"^(>>> .*(?:\n.+)*)$", re.MULTILINE)


class Docstrings(Extension):
    """Fences doctests, which Markdown would take for quotations, and describes settings."""

    def on_object(self, *, obj: Object, **_others: Any) -> None:
        """Change the docstring of an object."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(r"```pycon\n\1\n```", obj.docstring.value)

    def on_attribute(self, *, attr: Attribute, **_others: Any) -> None:
        """Describe a field that is declared by `setting(default, help, …)` by its help."""
        call = attr.value
        if isinstance(call, ExprCall) and str(call.function) == "setting":
            try:
                said = ast.literal_eval(str(call.arguments[1]))
            except ValueError:  # put together by code, which is not run here
                return
            attr.docstring = Docstring(f"{said[0].upper()}{said[1:]}.", parent=attr)
            attr.value = str(call.arguments[0])
