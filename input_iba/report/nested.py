"""Nested plain data as lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def flattened(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Return nested mappings as one, with dotted keys and texts as values.

    >>> flattened({"a": {"b": 1}, "c": "x", "d": [True, None]})
    {'a.b': '1', 'c': 'x', 'd': '[true, null]'}
    """
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= flattened(value, f"{before}{key}.")
        else:
            found[before + key] = value if isinstance(value, str) else json.dumps(value)
    return found
