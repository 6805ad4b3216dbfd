"""Plain data of files as the dataclasses that they were, where they still fit them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
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
    if any(map(_is_open, hints.values())):
        json.dumps(kept, allow_nan=False, default=str)
    return kind(**kept, **given)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _is_open(hint: Any) -> bool:
    """Return whether some values of a type are not looked at."""
    return hint is Any or any(map(_is_open, get_args(hint)))


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value of JSON is of a type: a plain one, a union, a list, a mapping of str.

    Of floating-point numbers only those fit that JSON knows.

    >>> fits({"a": [1, None]}, Mapping[str, list[float | None]]), fits(True, int)
    (True, False)
    """
    return _fitting(hint)(value)


@cache
def _fitting(hint: Any) -> Callable[[Any], bool]:
    """Return what `fits` asks of values: logs have thousands of lines of one type."""
    kinds = members(hint)
    if Any in kinds:
        return lambda _: True
    plain = {kind for kind in kinds if get_origin(kind) is None}
    if float in plain:
        plain.add(int)
    nested = [_nested(kind) for kind in kinds if get_origin(kind) is not None]

    def fit(value: Any) -> bool:
        if type(value) in plain:
            return type(value) is not float or math.isfinite(value)
        return any(other(value) for other in nested)

    return fit


def _nested(kind: Any) -> Callable[[Any], bool]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in arguments
    fit = _fitting(arguments[0] if origin is list else arguments[1])
    if origin is list:
        return lambda value: isinstance(value, list) and all(map(fit, value))
    return lambda value: isinstance(value, Mapping) and all(map(fit, value.values()))
