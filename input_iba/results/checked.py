"""Plain data of files as the dataclasses that they were, where they still fit them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from input_iba.settings import members

Kind = TypeVar("Kind")


def checked(kind: type[Kind], values: Any, **given: Any) -> Kind:
    """Return a dataclass of the values that are its fields, and of others `given` by the caller.

    Raises:
        ValueError: A value is of another type than its field, or no number that JSON knows.
        TypeError: A field without a default is missing, or the values are not a mapping.
    """
    hints = _hints(kind)  # type: ignore[arg-type]
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    kept = {key: value for key, value in dict(values).items() if key in known - given.keys()}
    for key, value in kept.items():
        if not fits(value, hints[key]):
            raise ValueError(f"{key!r} is {str(value)[:80]!r}")
    json.dumps(kept, allow_nan=False, default=str)
    return kind(**kept, **given)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value of JSON is of a type: a plain one, a union, a list, a mapping of str.

    >>> fits({"a": [1, None]}, Mapping[str, list[float | None]]), fits(True, int)
    (True, False)
    """
    kinds = members(hint)
    if len(kinds) > 1:
        return any(fits(value, member) for member in kinds)
    kind, arguments = get_origin(hint) or hint, get_args(hint)
    if kind is Any:
        return True
    if kind is Literal:
        return isinstance(value, str) and value in arguments
    if kind is list:
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if arguments:
        return isinstance(value, Mapping) and all(fits(v, arguments[1]) for v in value.values())
    return type(value) is kind or (kind is float and type(value) is int)
