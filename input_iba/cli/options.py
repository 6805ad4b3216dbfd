"""Options of commands, from the declarations of settings."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from functools import reduce
from operator import or_
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin

from input_iba.errors import ConfigError
from input_iba.settings import REQUIRED, Declaration, declarations, members

Kind = TypeVar("Kind")

METAVARS = {int: "N", float: "X", Path: "FILE"}
"""How the help calls a value of a type, where its declaration does not say."""


def add_options(
    parser: argparse._ActionsContainer,
    kind: type,
    *,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """Add an argument for each declared field of a class.

    Args:
        parser: A parser or a group of one.
        kind: A dataclass of declared fields.
        only: Fields to add, in this order; None for all.
        without: Fields to leave out.
        defaults: Of this command, where they are others than the class's.
    """
    known = declarations(kind)
    for name in known if only is None else only:
        if name not in without:
            default = (defaults or {}).get(name, known[name].default)
            add_option(parser, replace(known[name], default=default))


def from_arguments(kind: type[Kind], arguments: argparse.Namespace, **given: Any) -> Kind:
    """Return the settings that were parsed.

    Args:
        kind: A dataclass; its fields that were not parsed keep their defaults.
        arguments: From a parser with the options of `kind`.
        given: Values that count instead of what was parsed.
    """
    names = [item.name for item in fields(kind) if item.init]  # type: ignore[arg-type]
    parsed = {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}
    return kind(**(parsed | given))


def add_option(parser: argparse._ActionsContainer, declared: Declaration) -> None:
    """Add an argument for one declaration."""
    default, flags = declared.default, declared.flags
    how: dict[str, Any] = {"help": _help(declared)}
    if default is not REQUIRED:
        how["default"] = default
    positional = not flags[0].startswith("-")
    if positional:
        how |= {"metavar": flags[0]} | ({} if default is REQUIRED else {"nargs": "?"})
        flags = (declared.name,)
    else:
        how |= {"dest": declared.name, "required": default is REQUIRED}
    kinds = [member for member in members(declared.hint) if member is not NoneType]
    if kinds == [bool]:
        switch = declared.hint is bool and default is False
        how["action"] = "store_true" if switch else argparse.BooleanOptionalAction
        parser.add_argument(*flags, **how)
        return
    if get_origin(kinds[0]) is tuple:
        how["nargs"] = "+" if default is REQUIRED or not positional else "*"
        declared = replace(declared, hint=get_args(kinds[0])[0])
    parser.add_argument(*flags, **(_value(declared) | how))


def _help(declared: Declaration) -> str:
    default = declared.default
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
    if shown is None or shown is REQUIRED or shown == "" or isinstance(shown, bool):
        return declared.help.replace("%", "%%")
    return f"{declared.help} (default: {shown})".replace("%", "%%")


def _value(declared: Declaration) -> dict[str, Any]:
    """Return how one value of an argument is read, and what the help calls it."""
    kinds = [member for member in members(declared.hint) if member is not NoneType]
    choices = declared.choices
    if choices is None and all(get_origin(kind) is Literal for kind in kinds):
        choices = tuple(choice for kind in kinds for choice in get_args(kind))
    how: dict[str, Any] = {"type": _reader(replace(declared, hint=reduce(or_, kinds)), kinds)}
    if choices is None:
        how["metavar"] = METAVARS.get(kinds[0], declared.name.upper())
    elif declared.metavar is None:
        how["metavar"] = f"{{{','.join(map(str, choices))}}}"
    return how | ({"metavar": declared.metavar} if declared.metavar else {})


def _reader(declared: Declaration, kinds: list[Any]) -> Callable[[str], Any]:
    """Return a function from the text of an argument to its checked value."""

    def value(text: str) -> Any:
        given: Any = text
        for kind in kinds:
            if get_origin(kind) is not Literal:
                try:
                    given = kind(text)
                    break
                except ValueError:
                    continue
        try:
            return declared.checked(given, "value")
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return value
