"""Settings: fields of dataclasses that say type, default, range, help and effect, in one place.

Configs take their keys and checks from these declarations, commands their options.
"""

from __future__ import annotations

import operator
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from inspect import get_annotations
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from input_iba.errors import ConfigError, InputIBAError, closest

Kind = TypeVar("Kind")

REQUIRED: Any = MISSING
"""Default of a setting that must be given."""

_KEY = "setting"


@dataclass(frozen=True)
class Declaration:
    """What a field, of a name, type (`hint`) and default, says about itself.

    Attributes:
        help: What it means, without its default.
        at_least: Smallest value; of a tuple that of every item, as the other bounds.
        choices: Values that it can have; None for any of its type.
        none: What None stands for, where that is not a value of its own.
        changes_result: Whether it can change a result; else only what is shown, or how fast.
        part: Section of a config that it stands in, where a class has keys in several.
        metavar: How a command's help calls its value.
        flag: Option of commands, or several names of one; without dashes a positional argument.
        default: Of the field, or `REQUIRED`.
    """

    help: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    choices: tuple[Any, ...] | None = None
    none: Any = None
    changes_result: bool = True
    part: str = ""
    metavar: str | None = None
    flag: str | tuple[str, ...] | None = None
    name: str = ""
    hint: Any = None
    default: Any = None

    @property
    def flags(self) -> tuple[str, ...]:
        """Names of the option of commands."""
        flag = self.flag or f"--{self.name.replace('_', '-')}"
        return (flag,) if isinstance(flag, str) else flag

    def checked(self, value: Any, where: str, error: type[InputIBAError] = ConfigError) -> Any:
        """Return a value as the field's type, or raise `error`; messages call it `where`."""
        if value is None and self.none is not None:
            return self.none
        value = typed(value, self.hint, where, error)
        for item in value if isinstance(value, tuple) else [value]:
            if item is not None and self.choices is not None and item not in self.choices:
                raise error(_refusal(Literal[self.choices], item, where))
            if isinstance(item, int | float) and not isinstance(item, bool):
                self._check_range(item, where, error)
        return value

    def _check_range(self, value: float, where: str, error: type[InputIBAError]) -> None:
        bounds: list[tuple[str, float | None, Callable[[float, float], bool]]] = [
            ("of at least", self.at_least, operator.ge),
            ("above", self.above, operator.gt),
            ("of at most", self.at_most, operator.le),
            ("below", self.below, operator.lt),
        ]
        given = [(word, bound, fits) for word, bound, fits in bounds if bound is not None]
        if not all(fits(value, bound) for _, bound, fits in given):
            expected = " and ".join(f"{word} {bound}" for word, bound, _ in given)
            raise error(f"{where} must be a number {expected}, got {value!r}.")


def setting(
    default: Any, help: str, *, choices: Iterable[Any] | None = None, **declared: Any
) -> Any:
    """Declare a field of a dataclass.

    `default` is its default, or `REQUIRED`; all else are attributes of `Declaration`.
    """
    chosen = None if choices is None else tuple(choices)
    made = {"default_factory": default.copy} if isinstance(default, dict) else {"default": default}
    return field(metadata={_KEY: Declaration(help, choices=chosen, **declared)}, **made)


class Settings:
    """Base of frozen dataclasses of settings, which check themselves.

    A subclass that gives an inherited field another default keeps its declaration.

    Raises:
        ConfigError: A setting is of another type, out of its range or not among its choices. (Or
            the class's own `ERROR`.)

    >>> @dataclass(frozen=True)
    ... class Walk(Settings):
    ...     PLACE = "walk."
    ...     steps: int = setting(10, "steps to take", at_least=1)
    >>> Walk(steps=0)
    Traceback (most recent call last):
    input_iba.errors.ConfigError: walk.steps must be a number of at least 1, got 0.
    """

    PLACE: ClassVar[str] = ""
    """What stands before a field's name in messages; '--' for options of commands."""

    ERROR: ClassVar[type[InputIBAError]] = ConfigError

    def __post_init__(self) -> None:
        for name, declared in declarations(type(self)).items():
            where = declared.flags[0] if self.PLACE == "--" else f"{self.PLACE}{name}"
            value = declared.checked(getattr(self, name), where, self.ERROR)
            object.__setattr__(self, name, value)


def declarations(kind: type) -> dict[str, Declaration]:
    """Return the declarations of a dataclass's fields, by name."""
    return _declarations(kind)


@cache  # of which a type checker says that classes cannot be hashed
def _declarations(kind: type) -> dict[str, Declaration]:
    hints, found = _hints(kind), {}
    for item in fields(kind):
        bases = (vars(base).get("__dataclass_fields__", {}) for base in kind.__mro__)
        declared = [known[item.name].metadata for known in bases if item.name in known]
        nearest = next((metadata[_KEY] for metadata in declared if _KEY in metadata), None)
        if nearest is not None:
            made = item.default_factory
            how = {"hint": hints[item.name], "default": item.default if made is MISSING else made()}
            found[item.name] = replace(nearest, name=item.name, **how)
    return found


def _hints(kind: type) -> dict[str, Any]:
    """Return the types of fields alone: Python 3.10 refuses a bare `ClassVar`."""
    names = {item.name for item in fields(kind)}
    hints: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        own = {name: hint for name, hint in get_annotations(base).items() if name in names}
        place = {"__module__": base.__module__, "__annotations__": own}
        hints |= get_type_hints(type(base.__name__, (), place))
    return hints


def read(kind: type[Kind], values: Mapping[str, Any], section: str, file: str) -> Kind:
    """Return settings of a section of a config; keys that are not its fields are left to others.

    `section` is its dotted name, empty for the whole config; `file` the config, for messages.

    Raises:
        ConfigError: Names section, key and file of a value that cannot be.
    """
    given = read_values(kind, values, section, file)
    try:
        return kind(**given)
    except InputIBAError as error:
        raise ConfigError(f"Section '{section}' of {file}: {error}") from error


def read_values(kind: type, values: Mapping[str, Any], section: str, file: str) -> dict[str, Any]:
    """Return the checked values of a section that are fields of a class; see `read`."""
    prefix, found = f"{section}." if section else "", {}
    for name, declared in declarations(kind).items():
        if name in values:
            found[name] = declared.checked(values[name], f"'{prefix}{name}' of {file}")
        elif declared.default is REQUIRED:
            raise ConfigError(f"{file} has no '{prefix}{name}', which is needed: {declared.help}.")
    return found


def typed(value: Any, hint: Any, where: str, error: type[InputIBAError] = ConfigError) -> Any:
    """Return a value as a type: an int may stand for a float, a list for a tuple, a str for a Path.

    The hint is of plain types, unions, `Literal`, `tuple[X, ...]`, mappings or `Any`.

    Raises:
        InputIBAError: `error`, where the value is of another type; it is called `where`.
    """
    for member in members(hint):
        found = _as(value, member, where, error)
        if found is not MISSING:
            return found
    raise error(_refusal(hint, value, where))


def members(hint: Any) -> tuple[Any, ...]:
    """Return the types of a union; of another type itself.

    >>> members(int | None)
    (<class 'int'>, <class 'NoneType'>)
    """
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _as(value: Any, hint: Any, where: str, error: type[InputIBAError]) -> Any:
    """Return a value as a type that is not a union, or `MISSING` where it is of another."""
    kind, arguments = get_origin(hint) or hint, get_args(hint)
    if kind is Any or (kind is Literal and value in arguments):
        return value
    if kind is tuple and isinstance(value, list | tuple):
        item = f"every item of {where}"
        return tuple(typed(part, arguments[0], item, error) for part in value)
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is Literal or (isinstance(value, bool) and kind is not bool):
        return MISSING
    if kind is float and isinstance(value, int):
        return float(value)
    if isinstance(value, Mapping) and isinstance(value, kind) and arguments:
        for key, part in value.items():
            typed(part, arguments[1], f"{key!r} in {where}", error)
    return value if isinstance(value, kind) else MISSING


def _refusal(hint: Any, value: Any, where: str) -> str:
    chosen: list[Any] = []
    names: list[str] = []
    for member in members(hint):
        kind = get_origin(member) or member
        if kind is Literal:
            chosen += get_args(member)
        else:
            names.append({types.NoneType: "None", Mapping: "dict"}.get(kind, kind.__name__))
    shown = [*names, *map(repr, chosen)]
    expected = f"of type {' or '.join(shown)}" if names else f"one of {', '.join(shown)}"
    return f"{where} must be {expected}, got {value!r}.{closest(str(value), chosen)}"
