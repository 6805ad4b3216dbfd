"""Options of commands: from the declarations of settings, and those that several share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, replace
from functools import reduce
from operator import or_
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin

from input_iba.errors import ConfigError
from input_iba.settings import REQUIRED, Declaration, declarations, members

Kind = TypeVar("Kind")

CONFIG_HELP = "config: a file, or a name that `input-iba configs` lists"

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
    """Add an argument for each declared field of a class, or for some `only`, in that order.

    `defaults` are those of this command, where they are others than the class's.
    """
    known = declarations(kind)
    for name in known if only is None else only:
        if name not in without:
            default = (defaults or {}).get(name, known[name].default)
            add_option(parser, replace(known[name], default=default))


def from_arguments(kind: type[Kind], arguments: argparse.Namespace, **given: Any) -> Kind:
    """Return the settings that were parsed; values `given` count instead, others keep defaults."""
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
    kinds = _kinds(declared)
    if kinds == [bool]:
        switch = declared.hint is bool and default is False
        how["action"] = "store_true" if switch else argparse.BooleanOptionalAction
        parser.add_argument(*flags, **how)
        return
    if get_origin(kinds[0]) is tuple:
        how["nargs"] = "+" if default is REQUIRED or not positional else "*"
        declared = replace(declared, hint=get_args(kinds[0])[0])
    parser.add_argument(*flags, **(_value(declared) | how))


def _kinds(declared: Declaration) -> list[Any]:
    return [member for member in members(declared.hint) if member is not NoneType]


def _help(declared: Declaration) -> str:
    default = declared.default
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
    if shown is None or shown is REQUIRED or shown == "" or isinstance(shown, bool):
        return declared.help.replace("%", "%%")
    return f"{declared.help} (default: {shown})".replace("%", "%%")


def _value(declared: Declaration) -> dict[str, Any]:
    """Return how one value of an argument is read, and what the help calls it."""
    kinds, choices = _kinds(declared), declared.choices
    if choices is None and all(get_origin(kind) is Literal for kind in kinds):
        choices = tuple(choice for kind in kinds for choice in get_args(kind))
    metavar = declared.metavar or METAVARS.get(kinds[0], declared.name.upper())
    if choices is not None and declared.metavar is None:
        metavar = f"{{{','.join(map(str, choices))}}}"
    reader = _reader(replace(declared, hint=reduce(or_, kinds)), kinds)
    return {"type": reader, "metavar": metavar}


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


class OverrideAction(argparse.Action):
    """Reads `a.b=c` pairs as mmengine does, and says what is wrong with a malformed one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add the pairs to the namespace."""
        for pair in values or []:
            key, equals, _ = pair.partition("=")
            if not equals or not all(key.split(".")):
                parser.error(f"{option_string}: expected KEY=VALUE, as in a.b=3; got {pair!r}")
        from mmengine.config import DictAction

        try:
            DictAction(self.option_strings, self.dest)(parser, namespace, values, option_string)
        except AssertionError as error:
            parser.error(f"{option_string}: {error}")
        found = getattr(namespace, self.dest)
        for pair in values or []:
            key, _, text = pair.partition("=")
            if isinstance(found[key], str):
                found[key] = text.strip("'\"")  # mmengine takes the spaces out of a path


def add_config(parser: argparse.ArgumentParser, instead_of: str = "") -> None:
    """Add the config and its overrides; `instead_of` names an option that makes it needless."""
    parser.add_argument(
        "config",
        metavar="CONFIG",
        type=Path,
        nargs="?" if instead_of else None,
        help=CONFIG_HELP + (f"; in place of {instead_of}" if instead_of else ""),
    )
    add_cfg_options(parser)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add overrides of a config's keys."""
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=OverrideAction,
        default={},
        metavar="KEY=VALUE",
        help="override config keys: attribution_cfg.input_iba.beta=30 "
        "attributor.layer=features.10; lists as KEY=[a,b] without spaces",
    )
    add_trust(parser)


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Add how far files of others are trusted; `run_command` sees to it."""
    parser.add_argument(
        "--safe-config",
        action="store_true",
        help="read configs as data, and refuse one that could run code: for files of strangers",
    )
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="let code run that a network of transformers brings along, in its folder or hub",
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Add what older launchers of processes pass; newer ones set a variable, which is read."""
    parser.add_argument("--local-rank", "--local_rank", type=int, help=argparse.SUPPRESS)
